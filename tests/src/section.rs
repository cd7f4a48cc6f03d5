//! Custom sections for hand-written modules.

/// Appends a custom section to a module.
pub fn append_custom_section(wasm: &mut Vec<u8>, name: &str, content: &[u8]) {
    let leb = |mut value: usize| {
        let mut bytes = Vec::new();
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            bytes.push(if value == 0 { low } else { low | 0x80 });
            if value == 0 {
                return bytes;
            }
        }
    };
    let name_len = leb(name.len());
    wasm.push(0);
    wasm.extend(leb(name_len.len() + name.len() + content.len()));
    wasm.extend(name_len);
    wasm.extend(name.as_bytes());
    wasm.extend(content);
}
