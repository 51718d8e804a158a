//! Answers that were spoiled field by field.

use super::super::test_device::{Bench, ID, facts};
use super::*;

/// The body of an honest answer to IDENTIFY.
fn honest() -> Vec<u8> {
    let bench = Bench::honest();
    super::super::tests::identified(&bench);
    let answer = bench.crossings().into_iter().find(|crossing| !crossing.is_request());
    answer.unwrap().body
}

fn said(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut body = honest();
    change(&mut body);
    let error = Reply::parse(RequestType::Identify, &body).unwrap_err();
    why(RequestType::Identify, &body, error)
}

#[test]
fn a_field_of_identify_is_named_with_its_value_and_what_is_allowed() {
    assert_eq!(said(|body| body[1] = 9), "lifecycle is 9, allowed are 0 to 3");
    assert_eq!(said(|body| body[3] = 0), "window is 0, allowed are 1 to 8");
    assert_eq!(said(|body| body[16..18].fill(0)), "max chunk is 0, allowed are 65 to 1001");
    assert_eq!(said(|body| body[93] = 7), "model has a character that is not printable ASCII");
    let id = 93 + facts().model.as_bytes().len();
    assert_eq!(said(|body| body[id] = 3), "hardware id has 3 bytes, allowed are 4 to 32");
    let mut whose = honest();
    whose[1] = 9;
    assert_eq!(hardware_id(&whose).unwrap().as_bytes(), ID, "who it is can be read");
    assert_eq!(hardware_id(&whose[..id]), None);
    let ends = "its body has 111 bytes, and its four texts don't end there";
    assert_eq!(said(|body| body.push(0)), ends);
    assert_eq!(said(|body| body.truncate(9)), "its body has 9 bytes, its layout 102 to 256");
}

#[test]
fn other_answers_say_how_long_they_should_be() {
    let too_long = BodyError::Length { length: 2 };
    assert_eq!(why(RequestType::Finish, &[2, 0], too_long), "its body has 2 bytes, its layout 1");
    assert_eq!(
        why(RequestType::Finish, &[9], BodyError::value(0)),
        "lifecycle is 9, allowed are 0 to 3"
    );
}
