//! What can be wrong with the emulated cloud, and how it is asked for.
//!
//! A specification is written as one for devices: `name[=value][@N | @P%]`, on every request,
//! on the Nth, or on each with that probability, drawn from the seed. Where the value is an
//! action, only its requests are meant, and N counts those alone. [`CLOUD_FAULTS`] says what
//! each does.

use std::str::FromStr;
use std::time::Duration;

use super::actions::ACTIONS;
use crate::dice::Dice;
use crate::fault::error::FaultError;
use crate::fault::names::{FaultName, faults};
use crate::fault::selection::{Selection, parse_list};

/// Every fault of the emulated cloud.
pub const CLOUD_FAULTS: &[FaultName] = faults! {
    "throttle", "throttle@5%": "RequestLimitExceeded, nothing done", "RequestLimitExceeded，什么也没做";
    "not-ready", "not-ready@3": "the instance is not ready, nothing done", "实例未就绪，什么也没做";
    "internal-error", "internal-error": "InternalError in HTTP 200, nothing done", "HTTP 200 里是 InternalError，什么也没做";
    "invalid-action", "invalid-action": "only what the international site has is known", "只认识国际站有的操作";
    "5xx", "5xx@10%": "HTTP 502 from a proxy, nothing done", "代理返回 HTTP 502，什么也没做";
    "5xx-after", "5xx-after@10%": "done, and HTTP 504 is answered", "已完成，却返回 HTTP 504";
    "reset", "reset@2": "the connection is reset before anything is done", "还没处理连接就被重置";
    "reset-after", "reset-after@2": "done, and the connection is reset instead of an answer", "已完成，连接被重置，没有应答";
    "slow", "slow=3000": "done at once, answered so many ms later", "立即完成，晚这么多毫秒应答";
    "duplicate", "duplicate@1": "done twice; what the second time says is answered", "做了两次，返回第二次的结果";
    "forget", "forget=RegisterDeviceCertificate": "yes is said, and nothing is kept of the client", "回答成功，却没有保留这个客户端";
    "wrong-body", "wrong-body@1": "done, and some other JSON is answered", "已完成，返回别的 JSON";
    "html-body", "html-body@1": "nothing done, and a page is answered with HTTP 200", "什么也没做，以 HTTP 200 返回网页";
    "nulls", "nulls": "answers have null siblings, and null for an empty list", "应答里有 null 的并列字段，空列表也是 null";
    "skew", "skew=600": "the cloud's clock and its Date are so many seconds ahead", "云端的时钟和 Date 快这么多秒";
};

/// What is wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloudFault {
    Throttle,
    NotReady,
    InternalError,
    InvalidAction,
    BadGateway,
    BadGatewayAfter,
    Reset,
    ResetAfter,
    Slow(Duration),
    Duplicate,
    Forget,
    WrongBody,
    HtmlBody,
    Nulls,
    Skew(i64),
}

impl CloudFault {
    /// The name of its kind.
    pub(super) fn name(self) -> &'static str {
        match self {
            CloudFault::Throttle => "throttle",
            CloudFault::NotReady => "not-ready",
            CloudFault::InternalError => "internal-error",
            CloudFault::InvalidAction => "invalid-action",
            CloudFault::BadGateway => "5xx",
            CloudFault::BadGatewayAfter => "5xx-after",
            CloudFault::Reset => "reset",
            CloudFault::ResetAfter => "reset-after",
            CloudFault::Slow(_) => "slow",
            CloudFault::Duplicate => "duplicate",
            CloudFault::Forget => "forget",
            CloudFault::WrongBody => "wrong-body",
            CloudFault::HtmlBody => "html-body",
            CloudFault::Nulls => "nulls",
            CloudFault::Skew(_) => "skew",
        }
    }

    fn of(name: &str, value: Option<&str>) -> Option<CloudFault> {
        Some(match name {
            "throttle" => CloudFault::Throttle,
            "not-ready" => CloudFault::NotReady,
            "internal-error" => CloudFault::InternalError,
            "invalid-action" => CloudFault::InvalidAction,
            "5xx" => CloudFault::BadGateway,
            "5xx-after" => CloudFault::BadGatewayAfter,
            "reset" => CloudFault::Reset,
            "reset-after" => CloudFault::ResetAfter,
            "slow" => CloudFault::Slow(Duration::from_millis(value?.parse().ok()?)),
            "duplicate" => CloudFault::Duplicate,
            "forget" => CloudFault::Forget,
            "wrong-body" => CloudFault::WrongBody,
            "html-body" => CloudFault::HtmlBody,
            "nulls" => CloudFault::Nulls,
            "skew" => CloudFault::Skew(value?.parse().ok()?),
            _ => return None,
        })
    }

    const fn takes_number(self) -> bool {
        matches!(self, CloudFault::Slow(_) | CloudFault::Skew(_))
    }
}

/// A fault and the action whose requests alone are meant.
#[derive(Debug, Clone, PartialEq)]
struct Aimed {
    fault: CloudFault,
    action: Option<String>,
}

/// The faults of a sequence of requests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CloudFaults(Vec<(Aimed, Selection)>);

impl CloudFaults {
    /// Nothing is wrong with any request.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads a specification; an empty text means no fault.
    pub fn parse(text: &str) -> Result<Self, FaultError> {
        parse_list(text, aimed).map(Self)
    }

    /// What is wrong with a request: the `number`th of all, the `of_action`th of its action.
    pub(super) fn of_request(
        &self,
        number: u32,
        action: &str,
        of_action: u32,
        seed: u64,
    ) -> Vec<CloudFault> {
        let takes = |(place, (aimed, selection)): &(usize, &(Aimed, Selection))| {
            let dice = || Dice::new(seed, &format!("fault {place} of request {number}"));
            match aimed.action.as_deref() {
                None => selection.takes(number, dice),
                Some(wanted) => wanted == action && selection.takes(of_action, dice),
            }
        };
        self.0.iter().enumerate().filter(takes).map(|(_, (aimed, _))| aimed.fault).collect()
    }
}

impl FromStr for CloudFaults {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        Self::parse(text)
    }
}

/// `slow=100`, `slow=100:RegisterDeviceCertificate`, `throttle=RegisterDeviceCertificate`.
fn aimed(name: &str, value: Option<&str>) -> Result<Aimed, FaultError> {
    if !CLOUD_FAULTS.iter().any(|fault| fault.name == name) {
        return Err(FaultError::Unknown { name: name.to_owned() });
    }
    let wrong = |expected| FaultError::Value {
        name: name.to_owned(),
        value: value.unwrap_or_default().to_owned(),
        expected,
    };
    let (number, action) = match value.map(|text| text.split_once(':').unwrap_or((text, ""))) {
        None => (None, None),
        Some((number, "")) if number.parse::<i64>().is_ok() => (Some(number), None),
        Some((action, "")) => (None, Some(action)),
        Some((number, action)) => (Some(number), Some(action)),
    };
    let fault = CloudFault::of(name, number)
        .filter(|fault| fault.takes_number() == number.is_some())
        .ok_or_else(|| wrong("a number for slow and skew, and none for others,"))?;
    match action {
        Some(action) if !ACTIONS.iter().any(|known| known.name == action) => {
            Err(wrong("an action of the API"))
        }
        _ => Ok(Aimed { fault, action: action.map(str::to_owned) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: &str = "RegisterDeviceCertificate";

    fn of(text: &str, number: u32, action: &str, of_action: u32) -> Vec<CloudFault> {
        CloudFaults::parse(text).unwrap().of_request(number, action, of_action, 7)
    }

    #[test]
    fn every_listed_example_is_understood() {
        for fault in CLOUD_FAULTS {
            let parsed = CloudFaults::parse(fault.example).unwrap();
            assert_eq!(parsed.0[0].0.fault.name(), fault.name);
            assert!(fault.example.starts_with(fault.name), "{}", fault.name);
        }
    }

    #[test]
    fn the_nth_request_is_meant_and_with_an_action_the_nth_of_it() {
        assert_eq!(of("throttle@3", 3, "DescribeInstance", 1), [CloudFault::Throttle]);
        assert_eq!(of("throttle@3", 4, "DescribeInstance", 3), []);
        let aimed = "reset-after=RegisterDeviceCertificate@2";
        assert_eq!(of(aimed, 9, REGISTER, 2), [CloudFault::ResetAfter]);
        assert_eq!(of(aimed, 2, REGISTER, 1), []);
        assert_eq!(of(aimed, 2, "DescribeInstance", 2), []);
        let slow = CloudFault::Slow(Duration::from_millis(100));
        assert_eq!(of("slow=100:RegisterDeviceCertificate", 1, REGISTER, 1), [slow]);
        assert_eq!(of("skew=-600", 1, REGISTER, 1), [CloudFault::Skew(-600)]);
    }

    #[test]
    fn a_probability_follows_from_the_seed() {
        let spec = CloudFaults::parse("5xx@30%").unwrap();
        let hits = |seed| -> Vec<bool> {
            (1..=1_000).map(|n| !spec.of_request(n, REGISTER, n, seed).is_empty()).collect()
        };
        let count = hits(1).iter().filter(|hit| **hit).count();
        assert!((230..370).contains(&count), "{count}");
        assert_eq!(hits(1), hits(1));
        assert_ne!(hits(1), hits(2));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let unknown = FaultError::Unknown { name: "mute".to_owned() };
        assert_eq!(CloudFaults::parse("mute"), Err(unknown));
        for text in ["slow", "slow=x", "throttle=5", "reset=Register", "skew=1:Nothing"] {
            assert!(matches!(CloudFaults::parse(text), Err(FaultError::Value { .. })), "{text}");
        }
        assert!(matches!(CloudFaults::parse("reset@0"), Err(FaultError::Selection { .. })));
    }
}
