//! A crate may deny unsafe code, and need not import the attribute or the result type.
#![deny(warnings, unsafe_code)]

/// A type whose name the generated code also uses, which must not conflict.
pub struct Params;

/// Copies.
#[kernelpack_guest::kernel]
pub fn copy_u8(#[shape(n)] x: &[u8], #[shape(n)] y: &mut [u8]) -> kernelpack_guest::Result<()> {
    y.copy_from_slice(x);
    Ok(())
}

fn main() {
    let mut y = [0; 2];
    copy_u8(&[1, 2], &mut y).unwrap();
    assert_eq!(y, [1, 2]);
}
