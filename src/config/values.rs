//! Small values of station.toml: durations, sizes, ports, endpoints.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::cause::Told;
use crate::domain::clock::length_of_time;
use crate::domain::ids::{IdError, from_hex};

/// A text in station.toml that can't be read as what its key wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// A word that is none of those allowed.
    #[error("{found:?} is none of {allowed}")]
    Word {
        /// The word.
        found: String,
        /// Those allowed.
        allowed: String,
    },
    /// A word for something that a later version will know.
    #[error("{0:?} is not yet supported by this version")]
    NotYet(String),
    /// No length of time.
    #[error("{0:?} is no length of time: write for example \"90s\", \"10m\", \"24h\" or \"30d\"")]
    Time(String),
    /// No size.
    #[error("{0:?} is no size: write for example \"64KiB\", \"256MiB\" or \"1GiB\"")]
    Size(String),
    /// No validity.
    #[error("{0:?} is no validity: write for example \"20y\", \"825d\" or \"no-expiry\"")]
    Validity(String),
    /// No endpoint.
    #[error("{url:?} is no endpoint: {why}")]
    Endpoint {
        /// The text.
        url: String,
        /// What is wrong.
        why: &'static str,
    },
    /// No physical place of a port.
    #[error("{0:?} is no physical place: write usb:BUS-CHAIN, as `station ports` prints it")]
    Port(String),
}

impl Told for ValueError {
    fn chinese(&self) -> Option<String> {
        Some(match self {
            Self::Word { found, allowed } => format!("{found:?} 不是下列之一：{allowed}"),
            Self::NotYet(text) => format!("本版本还不支持 {text:?}"),
            Self::Time(text) => {
                format!("{text:?} 不是时间长度：例如写 \"90s\"、\"10m\"、\"24h\" 或 \"30d\"")
            }
            Self::Size(text) => {
                format!("{text:?} 不是大小：例如写 \"64KiB\"、\"256MiB\" 或 \"1GiB\"")
            }
            Self::Validity(text) => {
                format!("{text:?} 不是有效期：例如写 \"20y\"、\"825d\" 或 \"no-expiry\"")
            }
            Self::Endpoint { url, why } => format!("{url:?} 不是接入地址：{why}"),
            Self::Port(text) => {
                format!("{text:?} 不是端口的物理位置：写 usb:总线-链，与 `station ports` 所示相同")
            }
        })
    }
}

/// Bytes, written in hexadecimal.
#[derive(Debug)]
pub(super) struct Hex(pub(super) Vec<u8>);

impl FromStr for Hex {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        from_hex("key id", text).map(Self)
    }
}

/// How long a device certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidFor {
    /// Calendar years.
    Years(u16),
    /// Days.
    Days(u32),
    /// RFC 5280's 99991231235959Z.
    NoExpiry,
}

impl fmt::Display for ValidFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValidFor::Years(years) => write!(f, "{years}y"),
            ValidFor::Days(days) => write!(f, "{days}d"),
            ValidFor::NoExpiry => f.write_str("no-expiry"),
        }
    }
}

impl FromStr for ValidFor {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        // A thousand years: whoever wants more means "no-expiry".
        let within = |years: &u16| (1..=1_000).contains(years);
        let valid = match text.strip_suffix('y') {
            _ if text == "no-expiry" => Some(ValidFor::NoExpiry),
            Some(years) => years.parse().ok().filter(within).map(ValidFor::Years),
            None => text
                .strip_suffix('d')
                .and_then(|days| days.parse().ok())
                .filter(|days| (1..=365_250).contains(days))
                .map(ValidFor::Days),
        };
        valid.ok_or_else(|| ValueError::Validity(text.to_owned()))
    }
}

/// A length of time such as "90s", "10m", "24h" or "30d".
pub(super) fn duration(text: &str) -> Result<Duration, ValueError> {
    length_of_time(text).ok_or_else(|| ValueError::Time(text.to_owned()))
}

/// A size such as "64KiB", "256MiB" or "1GiB", in bytes.
pub(super) fn size(text: &str) -> Result<u64, ValueError> {
    const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    scaled(text, &UNITS).ok_or_else(|| ValueError::Size(text.to_owned()))
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, factor) =
        units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse::<u64>().ok().filter(|_| plain)?.checked_mul(*factor)
}

/// A serial port: a path, or a physical place that stays when the system renames ports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PortPlace {
    /// A device file, also a link to one or a pseudo-terminal.
    Path(PathBuf),
    /// `usb:BUS-CHAIN[:INTERFACE]`, as `station ports` prints it.
    Physical(String),
}

impl fmt::Display for PortPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PortPlace::Path(path) => write!(f, "{}", path.display()),
            PortPlace::Physical(place) => f.write_str(place),
        }
    }
}

impl PortPlace {
    /// Checks the physical form.
    pub(super) fn physical(text: &str) -> Result<Self, ValueError> {
        let place = text.strip_prefix("usb:").unwrap_or_default();
        let plain = place.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.' | ':'));
        let chained = place.split_once('-').is_some_and(|(bus, chain)| {
            !bus.is_empty() && chain.starts_with(|c: char| c.is_ascii_digit())
        });
        match plain && chained {
            true => Ok(Self::Physical(text.to_owned())),
            false => Err(ValueError::Port(text.to_owned())),
        }
    }
}

/// The cloud's address: `https://`, or `http://` to this machine alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(String);

impl Endpoint {
    /// The URL as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its host, without brackets and port.
    pub fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        host_of(rest.split('/').next().unwrap_or_default()).unwrap_or_default()
    }

    /// Whether it is on this machine, as an emulation is.
    pub fn is_here(&self) -> bool {
        is_loopback(self.host())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Endpoint {
    type Err = ValueError;

    fn from_str(url: &str) -> Result<Self, ValueError> {
        let refused = |why| ValueError::Endpoint { url: url.to_owned(), why };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(refused("it must begin with https://"));
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if !matches!(&rest[authority.len()..], "" | "/") {
            return Err(refused("the API stands at the root of its host, leave out the path"));
        }
        if authority.contains('@') {
            return Err(refused("it must not carry a user or password"));
        }
        let host = host_of(authority).ok_or_else(|| refused("it has no host"))?;
        match scheme {
            "https" => Ok(Self(url.to_owned())),
            "http" if is_loopback(host) => Ok(Self(url.to_owned())),
            "http" => Err(refused("http:// is accepted for this machine alone, use https://")),
            _ => Err(refused("it must begin with https://")),
        }
    }
}

fn host_of(authority: &str) -> Option<&str> {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => authority.split(':').next()?,
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    (!host.is_empty() && host.chars().all(fits)).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(2_592_000)));
        for wrong in ["", "90", "s", "0s", "-1s", "+1s", "1.5h", "99999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_is_a_number_and_a_binary_unit() {
        assert_eq!(size("256MiB"), Ok(268_435_456));
        assert_eq!(size("64KiB"), Ok(65_536));
        for wrong in ["256", "256MB", "MiB", "99999999999GiB"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_validity_is_years_days_or_none() {
        assert_eq!("20y".parse(), Ok(ValidFor::Years(20)));
        assert_eq!("825d".parse(), Ok(ValidFor::Days(825)));
        assert_eq!("no-expiry".parse(), Ok(ValidFor::NoExpiry));
        for wrong in ["0y", "0d", "20", "y", "2000y", "never"] {
            assert!(wrong.parse::<ValidFor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for right in [
            "https://mqtt.tencentcloudapi.com",
            "http://127.0.0.1:8080/",
            "http://[::1]:80",
            "http://localhost",
        ] {
            assert!(right.parse::<Endpoint>().is_ok(), "{right}");
        }
        for wrong in [
            "http://mqtt.tencentcloudapi.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://localhost:80@example.com",
            "ftp://localhost",
            "mqtt.tencentcloudapi.com",
            "https://mqtt.tencentcloudapi.com/v3",
            "https://mqtt.tencentcloudapi.com?x=1",
            "https://",
        ] {
            assert!(wrong.parse::<Endpoint>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_physical_place_has_a_bus_and_a_chain() {
        assert!(PortPlace::physical("usb:1-2.3").is_ok());
        assert!(PortPlace::physical("usb:1-2.3:0").is_ok());
        for wrong in ["usb:", "usb:1", "usb:-1", "usb:ttyUSB0"] {
            assert!(PortPlace::physical(wrong).is_err(), "{wrong}");
        }
    }
}
