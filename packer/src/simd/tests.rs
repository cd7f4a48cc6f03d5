use super::*;

#[test]
fn a_function_of_the_crate_with_simd_is_named() {
    let function = |text: &str| function_of("mine", &wat::parse_str(text).unwrap());
    let simd = |name: &str| format!("(func {name} (result i32) (i32x4.extract_lane 0 (i32x4.splat (i32.const 1))))");
    let (other, mine) = (simd("$std::alloc"), simd("$mine::dot"));
    assert_eq!(function(&format!("(module (func $mine::plain) {other} {mine})")), Some("mine::dot".into()));
    assert_eq!(function(&format!("(module (import \"a\" \"b\" (func)) (func) {mine})")), Some("mine::dot".into()));
    assert_eq!(function("(module (func $mine::a (local v128)))"), Some("mine::a".into()));
    assert_eq!(function(&format!("(module (func $mine::plain) {other})")), None);
    assert_eq!(function("(module (func (local v128)))"), None);
}
