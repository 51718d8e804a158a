//! What the API answers: `{"Response": {…}}`, an error in it or not, always with HTTP 200.
//!
//! A body is taken for success only if it has a request id and the fields of its action:
//! a portal's page, another service's JSON or half a body are no answer.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::cause::Told;

/// An answer of the API.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// It was done; the fields are those of the action.
    Done {
        /// What follows `Response`.
        fields: Value,
        /// Names the request at the vendor.
        request_id: String,
    },
    /// It was refused.
    Refused {
        /// The API's code.
        code: String,
        /// The API's text, untrusted.
        message: String,
        /// Names the request at the vendor; may be empty.
        request_id: String,
    },
}

/// Why a body is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("it is no JSON")]
    Json,
    #[error("it has no object \"Response\"")]
    Response,
    #[error("its error has no code")]
    Code,
    #[error("it has no request id")]
    RequestId,
}

impl Told for NoAnswer {
    fn chinese(&self) -> Option<String> {
        let said = match self {
            Self::Json => "它不是 JSON",
            Self::Response => "没有对象 \"Response\"",
            Self::Code => "其中的错误没有代码",
            Self::RequestId => "没有请求 id",
        };
        Some(said.to_owned())
    }
}

/// Reads a body. Other fields beside `Response`, and unknown ones in it, mean nothing.
pub(super) fn read(body: &[u8]) -> Result<Answer, NoAnswer> {
    let mut body: Value = serde_json::from_slice(body).map_err(|_| NoAnswer::Json)?;
    let response = body.get_mut("Response").map(Value::take);
    let Some(response @ Value::Object(_)) = response else { return Err(NoAnswer::Response) };
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let request_id = text(&response, "RequestId").filter(|id| !id.is_empty());
    match response.get("Error") {
        None | Some(Value::Null) => {
            let request_id = request_id.ok_or(NoAnswer::RequestId)?;
            Ok(Answer::Done { fields: response, request_id })
        }
        Some(error) => Ok(Answer::Refused {
            code: text(error, "Code").filter(|code| !code.is_empty()).ok_or(NoAnswer::Code)?,
            message: text(error, "Message").unwrap_or_default(),
            request_id: request_id.unwrap_or_default(),
        }),
    }
}

/// The action's own fields.
pub(super) fn fields<T: DeserializeOwned>(fields: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn siblings_and_unknown_fields_mean_nothing() {
        let body = br#"{"Error":null,"RequestId":null,"New":[1],
            "Response":{"CaSn":"95","RequestId":"05e8","Newer":{}}}"#;
        let Ok(Answer::Done { fields, request_id }) = read(body) else { panic!("it is one") };
        assert_eq!((fields.get("CaSn"), request_id.as_str()), (Some(&json!("95")), "05e8"));
    }

    #[test]
    fn an_error_in_a_200_is_an_error_and_a_null_one_is_none() {
        let body = br#"{"Response":{"Error":{"Code":"A.B","Message":"no"},"RequestId":"1"}}"#;
        let refused = Answer::Refused {
            code: "A.B".to_owned(),
            message: "no".to_owned(),
            request_id: "1".to_owned(),
        };
        assert_eq!(read(body), Ok(refused));
        assert!(matches!(
            read(br#"{"Response":{"Error":null,"RequestId":"1"}}"#),
            Ok(Answer::Done { .. })
        ));
        // An error stays one without a request id or a text.
        assert!(matches!(
            read(br#"{"Response":{"Error":{"Code":"A"}}}"#),
            Ok(Answer::Refused { .. })
        ));
    }

    #[test]
    fn what_is_no_answer_is_never_taken_for_success() {
        let table = [
            ("<html>welcome</html>", NoAnswer::Json),
            ("", NoAnswer::Json),
            (r#"{"Response":{"RequestId":"1""#, NoAnswer::Json),
            ("[]", NoAnswer::Response),
            (r#"{"status":"ok","RequestId":"1"}"#, NoAnswer::Response),
            (r#"{"Response":"ok"}"#, NoAnswer::Response),
            (r#"{"Response":{}}"#, NoAnswer::RequestId),
            (r#"{"Response":{"RequestId":""}}"#, NoAnswer::RequestId),
            (r#"{"Response":{"RequestId":7}}"#, NoAnswer::RequestId),
            (r#"{"Response":{"Error":{},"RequestId":"1"}}"#, NoAnswer::Code),
            (r#"{"Response":{"Error":"A","RequestId":"1"}}"#, NoAnswer::Code),
        ];
        for (body, wanted) in table {
            assert_eq!(read(body.as_bytes()), Err(wanted), "{body}");
        }
    }
}
