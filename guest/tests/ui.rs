//! What `#[kernel]` says to an author: one mistake a file, named by the mistake, and what compiles without a word.
//!
//! `TRYBUILD=overwrite cargo test -p kernelpack-guest --test ui` writes the expected messages anew; read them before
//! committing: each points at the narrowest token, says the fix, and comes alone.
#![cfg(not(miri))]

#[test]
fn mistakes_are_reported_once_at_their_token() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn everything_together_compiles() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
