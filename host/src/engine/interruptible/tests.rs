use super::*;

#[test]
fn stats() {
    for entry in std::env::var("PACK").unwrap().split(':') {
        let wasm = std::fs::read(entry).unwrap();
        let start = std::time::Instant::now();
        let made = make(&wasm).unwrap();
        let time = start.elapsed();
        wasmparser::Validator::new().validate_all(&made.wasm).unwrap();
        println!("{entry}: {} touches, {} -> {} bytes, {time:?}", made.touches, wasm.len(), made.wasm.len());
        let name = std::path::Path::new(entry).file_name().unwrap();
        std::fs::write(std::path::Path::new("/tmp/kp/harden-out").join(name), &made.wasm).unwrap();
        std::fs::write(
            std::path::Path::new("/tmp/kp/harden-out").join(name).with_extension("wat"),
            wasmprinter::print_bytes(&made.wasm).unwrap(),
        )
        .unwrap();
    }
}
