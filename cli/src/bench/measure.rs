//! Measures one kernel on one workload, taking turns between all ways of calling it.

use std::{cell::RefCell, error::Error, hint::black_box};

use kernelpack_host::{DynKernel, Tensor, measure::RawCall};

use super::{
    figures::{Figures, Times},
    stopwatch::{Budget, Timed, medians},
    subject::Subject,
    ways::{self, Ways},
    workload::Workload,
};

/// Raw calls that are measured together, since one takes hardly longer than the closure around it.
const RAW_CALLS: u32 = 64;

/// Measures one kernel on one workload.
///
/// # Errors
/// A call fails, or there is no memory for it.
pub(crate) fn measure(
    subject: &mut Subject,
    kernel: &str,
    workload: &Workload,
    budget: Budget,
) -> Result<Figures, Box<dyn Error>> {
    let ways = ways::find(subject, kernel, workload)?;
    let times = match ways {
        Some(mut ways) => measure_compiled_in(&mut subject.raw, &mut *ways, workload, budget)?,
        None => measure_named(&mut subject.raw, &subject.pack.kernel_named(kernel)?, workload, budget)?,
    };
    Ok(Figures::new(kernel, subject.engine.name(), workload, Times { raw: times.raw / f64::from(RAW_CALLS), ..times }))
}

/// Measures a kernel that is compiled into this program.
fn measure_compiled_in(
    raw: &mut RawCall,
    ways: &mut dyn Ways,
    workload: &Workload,
    budget: Budget,
) -> Result<Times, Box<dyn Error>> {
    // All closures borrow `ways`, but no two run at the same time.
    let ways = RefCell::new(ways);
    let mut raw = || Ok(raw.repeat(RAW_CALLS)?);
    let mut typed = || ways.borrow_mut().typed();
    let mut bound = || ways.borrow_mut().bound();
    let mut bound_no_deadline = || ways.borrow_mut().bound_no_deadline();
    let mut native = || ways.borrow_mut().native();
    let mut copy = PlainCopy::of(workload)?;
    let mut copy = copy.as_mut().map(|copy| || copy.run());
    let mut subjects: Vec<Timed<'_, _>> = vec![&mut raw, &mut typed, &mut bound, &mut bound_no_deadline, &mut native];
    if let Some(copy) = &mut copy {
        subjects.push(copy);
    }
    let times = medians(budget, &mut subjects)?;
    let at = |index: usize| times.get(index).copied();
    Ok(Times {
        raw: times[0],
        typed: at(1),
        bound: at(2),
        bound_no_deadline: at(3),
        native: at(4),
        copy: at(5),
        ..Times::default()
    })
}

/// Measures a kernel that is known only by its name.
fn measure_named(
    raw: &mut RawCall,
    kernel: &DynKernel,
    workload: &Workload,
    budget: Budget,
) -> Result<Times, Box<dyn Error>> {
    let inputs: Vec<_> = workload.tensors().iter().map(|tensor| (tensor.name.as_str(), tensor.dynamic())).collect();
    let params: Vec<_> = workload.params.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let mut prepared = kernel.prepare(&inputs, &params)?;
    let mut raw = || Ok(raw.repeat(RAW_CALLS)?);
    let mut alone = || Ok(prepared.enter()?);
    let mut named = || kernel.run(&inputs, &params).map(drop).map_err(Into::into);
    let mut copy = PlainCopy::of(workload)?;
    let mut copy = copy.as_mut().map(|copy| || copy.run());
    let mut subjects: Vec<Timed<'_, Box<dyn Error>>> = vec![&mut raw, &mut named, &mut alone];
    if let Some(copy) = &mut copy {
        subjects.push(copy);
    }
    let times = medians(budget, &mut subjects)?;
    let at = |index: usize| times.get(index).copied();
    Ok(Times { raw: times[0], named: at(1), prepared: at(2), copy: at(3), ..Times::default() })
}

/// A copy of a workload's first tensor to memory of the same kind.
struct PlainCopy<'a> {
    from: &'a [u8],
    to: Tensor<u8>,
}

impl<'a> PlainCopy<'a> {
    /// Makes a copy for this workload; `None` unless the workload is larger than caches.
    fn of(workload: &'a Workload) -> Result<Option<Self>, kernelpack_host::Error> {
        let Some(tensor) = workload.tensors().first().filter(|_| workload.is_in_memory()) else { return Ok(None) };
        let from = tensor.bytes();
        Ok(Some(Self { from, to: Tensor::zeros(&[from.len()])? }))
    }

    fn run(&mut self) -> Result<(), Box<dyn Error>> {
        self.to.as_mut_slice().copy_from_slice(self.from);
        black_box(self.to.as_slice());
        Ok(())
    }
}
