use super::*;
use std::string::{String, ToString};

#[test]
fn a_long_message_is_cut_at_a_character() {
    let long = "é".repeat(200);
    let message = Message::new(format_args!("x{long}"));
    // 1 + 2 * 127 = 255: the next character would end at 257.
    assert_eq!(message.as_str().len(), 255);
    assert!(message.as_str().ends_with('é'));
}

#[test]
fn a_success_cannot_fail() {
    assert_eq!(Error::from(Status::Ok).status(), Status::InternalError);
    assert_eq!(Error::from(Status::OutOfMemory).to_string(), String::from("OUT_OF_MEMORY"));
}
