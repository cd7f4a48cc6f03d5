use std::fmt;

use super::*;

#[derive(Debug)]
struct Chained(&'static str, Option<Box<Self>>);

impl fmt::Display for Chained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Chained {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

#[test]
fn the_causes_of_a_probes_error_are_told_once() {
    let told = |error: Chained| CheckFailed::Probe(error.into()).to_string();
    let timeout = || Some(Box::new(Chained("timed out", None)));
    assert_eq!(told(Chained("no answer", None)), "a probe refused it: no answer");
    let apart = Chained("no answer", Some(Box::new(Chained("cannot connect", timeout()))));
    assert_eq!(told(apart), "a probe refused it: no answer: cannot connect: timed out");
    assert_eq!(told(Chained("no answer: timed out", timeout())), "a probe refused it: no answer: timed out");
}
