//! Answers calls with the native reference of a kernel, which gives the packer the expected results of health vectors.
//!
//! The packer links this `main` and the kernel crate into a program. It takes the kernel's id and, for each call, the
//! paths of two files; calls are made in order. The first file is a call with the layout of a sandbox's memory: a
//! params block, and tensors at the offsets in its table, relative to the start of the file. The program writes the
//! second file once the reference has answered: a byte with the status, then the written tensors in declaration order,
//! or a message if the status is not OK; an empty file if no kernel with this id is compiled in. If a reference panics
//! or does not end, there is no file for this call and those after it.

use std::{
    env, fs,
    io::{self, Write as _},
    process::ExitCode,
};

use kernelpack_abi::{
    DType, Error, Result, Role, Shape, Status, TensorArg, TensorData,
    native::NativeKernel,
    params::{Params, TensorEntry},
};
use zerocopy::IntoBytes as _;

/// Answers the calls that the command line names.
pub fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let Some(kernel) = args.next() else { return fail("expected KERNEL [CALL ANSWER]...") };
    let found = NativeKernel::all().find(|known| kernel == known.spec.id);
    while let Some(call) = args.next() {
        let Some(answer) = args.next() else { return fail("expected an ANSWER after each CALL") };
        if let Err(error) = fs::read(call).and_then(|call| fs::write(answer, answer_to(found, &call))) {
            return fail(&error.to_string());
        }
    }
    ExitCode::SUCCESS
}

fn answer_to(kernel: Option<&NativeKernel>, call: &[u8]) -> Vec<u8> {
    match kernel.map(|kernel| run(kernel, call)) {
        None => Vec::new(),
        Some(Ok(tensors)) => [&[Status::Ok.code() as u8], tensors.as_slice()].concat(),
        Some(Err(error)) => [&[error.status().code() as u8], error.message().as_bytes()].concat(),
    }
}

fn fail(reason: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{reason}");
    ExitCode::FAILURE
}

/// Runs the reference, and returns what it wrote.
fn run(kernel: &NativeKernel, call: &[u8]) -> Result<Vec<u8>> {
    // Offsets are multiples of 16, so tensors are aligned for their elements if the file is.
    let mut words = vec![0u128; call.len().div_ceil(size_of::<u128>())];
    words.as_mut_bytes()[..call.len()].copy_from_slice(call);
    let call = &words.as_bytes()[..call.len()];
    let params = Params::parse(call).map_err(|error| wrong(format_args!("{error}")))?;
    let mut written = Vec::new();
    for entry in params.entries {
        written.push(start_value(call, entry)?);
    }
    let rows = params.entries.iter().zip(&mut written).map(|(entry, words)| row(call, entry, words));
    let mut rows = rows.collect::<Result<Vec<_>>>()?;
    (kernel.forward)(&mut rows, params.scalars)?;
    let mut tensors = Vec::new();
    for row in &rows {
        if let TensorData::Out(bytes) | TensorData::InOut(bytes) = &row.data {
            tensors.extend_from_slice(bytes);
        }
    }
    Ok(tensors)
}

/// Allocates memory for a tensor that is written, aligned for any element and with its initial value; empty for other
/// tensors.
fn start_value(call: &[u8], entry: &TensorEntry) -> Result<Vec<u128>> {
    let mut words = Vec::new();
    if matches!(Role::from_code(entry.role), Some(Role::Out | Role::InOut)) {
        let bytes = bytes(call, entry)?;
        words.resize(bytes.len().div_ceil(size_of::<u128>()), 0);
        words.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
    }
    Ok(words)
}

fn row<'a>(call: &'a [u8], entry: &TensorEntry, words: &'a mut [u128]) -> Result<TensorArg<'a>> {
    let (Some(dtype), Some(role), Some(shape)) =
        (DType::from_code(entry.dtype), Role::from_code(entry.role), entry.shape())
    else {
        return Err(wrong(format_args!("a row of the tensor table is invalid")));
    };
    let absent = TensorArg { dtype, shape: Shape::default(), data: TensorData::Absent };
    let size = entry.size as usize;
    Ok(match role {
        Role::Scratch => TensorArg { data: TensorData::Scratch, ..absent },
        _ if entry.is_absent() => absent,
        Role::In => TensorArg { dtype, shape, data: TensorData::In(bytes(call, entry)?) },
        Role::Out => TensorArg { dtype, shape, data: TensorData::Out(&mut words.as_mut_bytes()[..size]) },
        Role::InOut => TensorArg { dtype, shape, data: TensorData::InOut(&mut words.as_mut_bytes()[..size]) },
    })
}

fn bytes<'a>(call: &'a [u8], entry: &TensorEntry) -> Result<&'a [u8]> {
    let start = entry.offset as usize;
    let end = start.checked_add(entry.size as usize);
    end.and_then(|end| call.get(start..end)).ok_or_else(|| wrong(format_args!("a tensor lies outside of the call")))
}

fn wrong(message: std::fmt::Arguments<'_>) -> Error {
    Error::new(Status::InvalidParams, message)
}
