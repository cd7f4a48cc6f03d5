use rustix::io::Errno;

use super::*;

#[test]
fn a_machine_without_memory_is_not_a_module_that_wasmtime_refuses() {
    let short = wasmtime::Error::from(Errno::NOMEM).context("mmap failed to allocate 0x1000 bytes");
    let CompileError::OutOfMemory(message) = refused(short) else { panic!("the module is blamed") };
    assert!(message.starts_with("mmap failed to allocate 0x1000 bytes: "), "{message}");
    let short = wasmtime::Error::from(std::io::Error::from(Errno::NOMEM)).context("cannot publish code");
    assert!(matches!(refused(short), CompileError::OutOfMemory(_)));
    let bad = wasmtime::Error::msg("type mismatch").context("failed to parse WebAssembly module");
    let CompileError::Refused(message) = refused(bad) else { panic!("the machine is blamed") };
    assert_eq!(message, "failed to parse WebAssembly module: type mismatch");
}
