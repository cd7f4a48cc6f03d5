//! Checks the errors of `#[kernel]`: each file contains one mistake and is named after it; other files must compile
//! without warnings.
//!
//! `TRYBUILD=overwrite cargo test -p kernelpack-guest --test ui` rewrites the expected messages; read them before
//! committing: each must point at the narrowest token, state the fix, and be the only one.
#![cfg(not(miri))]

#[test]
fn mistakes_are_reported_once_at_their_token() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn everything_together_compiles() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
