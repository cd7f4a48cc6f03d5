//! The command's reader of safetensors files: any file is read or refused, and everything that the header announces can
//! be read.
#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;

// The command is a program rather than a library, so this includes its source file.
#[path = "../../cli/src/tensor_file.rs"]
mod tensor_file;

fuzz_target!(|bytes: &[u8]| {
    // Uses a file in memory on systems that have this folder.
    let dir = std::path::Path::new("/dev/shm");
    let mut file = if dir.is_dir() { tempfile::NamedTempFile::new_in(dir) } else { tempfile::NamedTempFile::new() }
        .expect("a temporary file");
    file.write_all(bytes).expect("a temporary file can be written");
    match tensor_file::TensorFile::open(file.path()) {
        Ok(tensors) => {
            assert_eq!(tensors.path(), file.path());
            for name in tensors.names() {
                let info = tensors.info(&name).expect("a name that the file gave");
                let (start, end) = info.data_offsets;
                assert_eq!(tensors.read(info).map(|bytes| bytes.len()), Ok(end - start));
            }
        }
        Err(said) => assert!(!said.is_empty()),
    }
});
