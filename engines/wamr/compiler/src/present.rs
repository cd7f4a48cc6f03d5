//! Compiles a module's file to an `.aot` file that records how it was made.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use kernelpack_manifest::{AOT_RECORD, AotFacts, AotFault, AotRecord, AotTarget, Digest, MAX_MODULE_BYTES};

use crate::{Error, machine::Machine, native};

const WAMR: &str = env!("KERNELPACK_WAMR");
const LLVM: &str = env!("KERNELPACK_LLVM");

/// Returns the versions and the settings for each target, by which hosts distinguish compilers.
pub(crate) fn about() -> Result<String, Error> {
    let mut about = format!("WAMR {WAMR}, LLVM {LLVM}");
    for target in AotTarget::ALL {
        let machine = Machine::of(target);
        let options = [format!("features={}", machine.features)].into_iter().chain(machine.options());
        about += &format!("\n{target}: {}", options.collect::<Vec<_>>().join(" "));
    }
    Ok(about)
}

/// Compiles the module for the target and writes the file, if hosts would load it.
pub(crate) fn compile(target: AotTarget, module: &Path, file: &Path) -> Result<(), Error> {
    native::limit();
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |error| Error::File { action, path, error }
    };
    let mut wasm = Vec::new();
    let opened = File::open(module).map_err(failed("read", module))?;
    opened.take(MAX_MODULE_BYTES as u64 + 1).read_to_end(&mut wasm).map_err(failed("read", module))?;
    if wasm.len() > MAX_MODULE_BYTES {
        return Err(Error::TooLarge { path: module.to_owned(), limit: MAX_MODULE_BYTES });
    }
    let machine = Machine::of(target);
    let record = AotRecord {
        target,
        source: Digest::of(&wasm),
        version: WAMR
            .parse()
            .map_err(|error| Error::Refused { reason: format!("WAMR has version {WAMR}: {error}") })?,
        llvm: LLVM.to_owned(),
        options: machine.options(),
    };
    add_section(&mut wasm, AOT_RECORD, &record.to_json());
    let frames = file.with_extension("su");
    let made = native::compile(&machine, &frames, wasm);
    match fs::remove_file(&frames) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed("remove", &frames)(error)),
        _ => {}
    }
    let made = made.map_err(|reason| Error::Refused { reason })?;
    let facts = AotFacts::read(&made).map_err(Error::Unloadable)?;
    if facts.record != record {
        let (expected, found) = (record.source, facts.record.source);
        return Err(Error::Unloadable(AotFault::Source { expected, found }));
    }
    fs::write(file, made).map_err(failed("write", file))
}

/// Appends a custom section to a module.
fn add_section(wasm: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut body = Vec::new();
    leb128(&mut body, name.len());
    body.extend(name.as_bytes());
    body.extend(content);
    wasm.push(0);
    leb128(wasm, body.len());
    wasm.extend(body);
}

fn leb128(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
