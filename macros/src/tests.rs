//! Compares what the attributes expand to with checked-in expansions; `BLESS=1 cargo test -p kernelpack-macros`
//! rewrites them. `kernelpack-guest` tests whether the code compiles and what it does.

use std::path::Path;

use proc_macro2::TokenStream;

use crate::{expand, model::Direction};

fn expansion(direction: Direction, options: &str, function: &str) -> TokenStream {
    let parse = |text: &str| text.parse().expect("the test's tokens are balanced");
    expand(direction, parse(options), parse(function))
}

/// Compares an expansion with `src/tests/<name>.rs`.
#[track_caller]
fn expands(name: &str, direction: Direction, options: &str, function: &str) {
    let file = syn::parse2(expansion(direction, options, function)).expect("an expansion is items");
    let found = prettyplease::unparse(&file);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests").join(name).with_extension("rs");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &found).expect("the expansion can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    if found != expected {
        let line = found.lines().zip(expected.lines()).take_while(|(found, expected)| found == expected).count();
        panic!(
            "{} differs from line {}; `BLESS=1` writes it anew\nexpected: {:?}\nfound:    {:?}",
            path.display(),
            line + 1,
            expected.lines().nth(line),
            found.lines().nth(line),
        );
    }
}

#[test]
fn a_simple_kernel() {
    expands(
        "simple",
        Direction::Forward,
        r#"category = "arithmetic", split = n"#,
        "/// Multiplies every element by a factor.
         pub fn scale_f32(
             #[shape(n)] x: &[f32],
             #[shape(n)] y: &mut [f32],
             #[param(default = 2.0)] factor: f32,
         ) -> Result<()> {
             for (y, x) in y.iter_mut().zip(x) { *y = x * factor; }
             Ok(())
         }",
    );
}

#[test]
fn every_kind_of_parameter() {
    expands(
        "parameters",
        Direction::Forward,
        r#"crate = crate::toolkit, fallback = "", max_memory_pages = 64"#,
        "#[cfg(not(miri))]
         fn mix(
             #[shape(rows, dim)] x: &[half::f16],
             #[shape(rows, dim / 32, 2)] blocks: Option<&[BlockQ8_0]>,
             #[inout] #[shape(dim * 4)] state: &mut [self::Weight],
             #[shape()] y: &mut [u32],
             #[scratch(len = (rows + 1) * dim)] tmp: &mut [f32],
             #[param] gain: f32,
             #[param(default = -1)] offset: i32,
             #[param(default = super::SEED)] seed: u32,
             #[param(default = true)] causal: bool,
             rows: usize,
         ) -> Result<()> { Ok(()) }",
    );
}

#[test]
fn a_lifecycle_and_a_backward_pass() {
    expands(
        "lifecycle",
        Direction::Forward,
        "init = init, cleanup = self::cleanup, backward = fill_backward",
        "pub fn fill(#[shape(16)] y: &mut [f32]) -> Result<()> { Ok(()) }",
    );
    expands(
        "backward",
        Direction::Backward,
        "",
        "pub fn fill_backward(#[shape(16)] dy: &[f32], #[shape(16)] dx: &mut [f32]) -> Result<()> { Ok(()) }",
    );
}

#[test]
fn mistakes() {
    expands(
        "mistakes",
        Direction::Forward,
        r#"colour = "red""#,
        "pub fn k(x: &[f64], #[shape(n)] y: &mut [f32], #[shape(n)] y: &mut [f32]) -> Result<()> { Ok(()) }",
    );
}

#[test]
fn an_expansion_has_no_name_of_the_machine_or_the_moment() {
    let function = "pub fn k(#[shape(n)] x: &[f32], #[shape(n)] y: &mut [f32]) -> Result<()> { Ok(()) }";
    let once = expansion(Direction::Forward, "", function).to_string();
    assert_eq!(once, expansion(Direction::Forward, "", function).to_string());
    assert!(!once.contains(env!("CARGO_MANIFEST_DIR")));
}
