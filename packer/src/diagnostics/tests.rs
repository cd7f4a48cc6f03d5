use super::*;

#[test]
fn a_warning_of_cargo_is_told_once_and_its_steps_each_time() {
    let mut diagnostics = Diagnostics::default();
    let mut told = |lines: &[&str]| lines.iter().filter(|line| diagnostics.is_new(line)).count();
    let warning = ["warning: two lines", "package:   /a"];
    assert_eq!(told(&warning), 2);
    for _ in 0..2 {
        assert_eq!(told(&["   Compiling a v0.1.0 (/a)"]), 1);
        assert_eq!(told(&warning), 0);
        assert_eq!(told(&["error: no", "package:   /a"]), 2);
    }
    assert_eq!(told(&["warning: another"]), 1);
}
