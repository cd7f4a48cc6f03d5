//! The health vectors of a pack: generated ones, from what the kernels' functions compute on this machine, and those
//! that authors provide in the crate's folder `health`.
//!
//! Equal sources give equal vectors: inputs depend on nothing but the kernel's description, and the functions are
//! compiled for the baseline of the machine's processors.

mod call;
mod given;
mod inputs;
mod program;
mod tolerance;

use std::{collections::BTreeMap, time::Duration};

use kernelpack_abi::KernelSpecBuf;
use kernelpack_manifest::{
    Digest, HEALTH_FOLDER, HealthEntry, HealthVector, MAX_HEALTH_BYTES, MAX_PACK_HEALTH_BYTES, Rejected, VECTOR_SUFFIX,
    compare,
};

use self::{
    given::{Given, Packed},
    inputs::Attempt,
    program::Program,
    tolerance::tolerance,
};
use crate::{
    compile::Features,
    diagnostics::Diagnostics,
    error::BuildError,
    event::{Event, Warning},
    no_answer::NoAnswer,
    project::Project,
};

/// Which health vectors a pack has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether to generate vectors and to compare the author's with the kernels' functions; if not, only the author's
    /// are packed, unchecked.
    pub make: bool,
    /// The time limit of a function for one vector.
    pub time_limit: Duration,
}

impl Default for Health {
    /// Generates vectors, with 30 s for each.
    fn default() -> Self {
        Self { make: true, time_limit: Duration::from_secs(30) }
    }
}

/// Returns the vectors of each of these kernels, in the order of their paths.
pub(crate) fn vectors(
    project: &Project,
    features: &Features,
    health: &Health,
    kernels: &[&KernelSpecBuf],
    diagnostics: &mut Diagnostics,
    progress: &mut dyn FnMut(Event),
) -> Result<Vec<Vec<Packed>>, BuildError> {
    let given = given::read(project, kernels)?;
    let program = if health.make && project.has_guest {
        Some(Program::link(project, features, health.time_limit, diagnostics, progress)?)
    } else {
        None
    };
    let mut all = Vec::new();
    let mut total = 0;
    for (kernel, given) in kernels.iter().zip(given) {
        let mut vectors = BTreeMap::new();
        for given in given {
            if health.make {
                check(kernel, &given, program.as_ref(), progress)?;
            }
            vectors.insert(given.entry.path.clone(), given.packed());
        }
        if health.make {
            make(project, kernel, program.as_ref(), &mut vectors, progress)?;
        }
        for (entry, bytes) in vectors.values() {
            let (kernel, path, size) = (kernel.id.clone(), entry.path.clone(), bytes.len());
            total += size;
            progress(Event::Vector { kernel, path, size });
        }
        all.push(vectors.into_values().collect());
    }
    if total > MAX_PACK_HEALTH_BYTES {
        return Err(BuildError::rejected(Rejected::VectorsTooLarge));
    }
    Ok(all)
}

/// Generates the vectors that the author has not provided: one without the kernel's optional inputs, and one with all
/// of them.
fn make(
    project: &Project,
    kernel: &KernelSpecBuf,
    program: Option<&Program>,
    vectors: &mut BTreeMap<String, Packed>,
    progress: &mut dyn FnMut(Event),
) -> Result<(), BuildError> {
    let optional = kernel.forward.tensors.iter().any(|tensor| tensor.optional);
    for (with_optional, suffix) in [(false, ""), (true, "-full")].into_iter().take(1 + usize::from(optional)) {
        let path = format!("{HEALTH_FOLDER}/{}{suffix}{VECTOR_SUFFIX}", kernel.id);
        if vectors.contains_key(&path) {
            continue;
        }
        match answer(kernel, program, with_optional)? {
            Ok((vector, params)) => {
                let bytes = vector.to_bytes().map_err(|fault| {
                    BuildError::rejected(Rejected::Vector { kernel: kernel.id.clone(), path: path.clone(), fault })
                })?;
                let (hash, tolerance) = (Digest::of(&bytes), tolerance(project, &kernel.forward));
                let params = params.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
                vectors.insert(path.clone(), (HealthEntry { path, hash, tolerance, params }, bytes));
            }
            Err(reason) => {
                let (kernel, reason) = (kernel.id.clone(), reason.to_string());
                progress(Event::Warning(Warning::NoVector { kernel, path, reason }));
            }
        }
    }
    Ok(())
}

/// Makes a vector from the first generated inputs that the function accepts, and from its results for them.
#[expect(clippy::type_complexity, reason = "the values of scalars by name, as vectors take them")]
fn answer<'a>(
    kernel: &'a KernelSpecBuf,
    program: Option<&Program>,
    with_optional: bool,
) -> Result<Result<(HealthVector, Vec<(&'a str, kernelpack_abi::ParamValue)>), NoAnswer>, BuildError> {
    let Some(program) = program else { return Ok(Err(NoAnswer::Unregistered)) };
    let mut first = None;
    for attempt in Attempt::ALL {
        let Some(asked) = inputs::make(&kernel.forward, attempt, with_optional) else { continue };
        match program.answer(kernel, &asked.vector)? {
            Ok(expected) => {
                if !program.is_steady(kernel, &asked.vector, &expected)? {
                    return Ok(Err(NoAnswer::Unsteady));
                }
                let vector = kernel.forward.with(|signature| {
                    HealthVector::new(signature, asked.inputs, expected, &asked.params).map_err(|fault| {
                        let path = format!("{HEALTH_FOLDER}/{}{VECTOR_SUFFIX}", kernel.id);
                        BuildError::rejected(Rejected::Vector { kernel: kernel.id.clone(), path, fault })
                    })
                })?;
                return Ok(Ok((vector, asked.params)));
            }
            // Stops here, since these failures do not depend on the inputs.
            Err(reason @ (NoAnswer::TimedOut { .. } | NoAnswer::Unregistered | NoAnswer::NeedsInit)) => {
                return Ok(Err(reason));
            }
            Err(reason) => first = first.or(Some(reason)),
        }
    }
    Ok(Err(first.unwrap_or(NoAnswer::TooLarge { limit: MAX_HEALTH_BYTES })))
}

/// Compares a vector of the author with what the function returns.
fn check(
    kernel: &KernelSpecBuf,
    given: &Given,
    program: Option<&Program>,
    progress: &mut dyn FnMut(Event),
) -> Result<(), BuildError> {
    let answer = match program {
        Some(program) => program.answer(kernel, &given.vector)?,
        None => Err(NoAnswer::Unregistered),
    };
    let (path, id, tolerance) = (|| given.file.clone(), || kernel.id.clone(), given.entry.tolerance);
    match answer {
        Ok(results) => {
            let expected = given.vector.expected();
            compare(expected, &results, tolerance).map_err(|mismatch| BuildError::WrongVector {
                path: path(),
                kernel: id(),
                mismatch,
                tolerance,
                // This is the largest possible tolerance.
                tolerable: compare(expected, &results, 1f64.next_down()).is_ok(),
            })?;
            if !program.map_or(Ok(true), |program| program.is_steady(kernel, &given.vector, &results))? {
                let reason = NoAnswer::Unsteady.to_string();
                progress(Event::Warning(Warning::UncheckedVector { kernel: id(), path: path(), reason }));
            }
            Ok(())
        }
        Err(reason @ (NoAnswer::NeedsInit | NoAnswer::Unregistered)) => {
            let reason = reason.to_string();
            progress(Event::Warning(Warning::UncheckedVector { kernel: id(), path: path(), reason }));
            Ok(())
        }
        Err(fault) => Err(BuildError::Unanswered { path: path(), kernel: id(), fault }),
    }
}

#[cfg(test)]
mod tests;
