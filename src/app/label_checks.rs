//! What is odd about how station.toml says labels are: nothing that is forbidden, and much
//! that a factory would rather hear before the first shift.

use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::label::Survey;
use crate::domain::say::Say;
use crate::domain::scan::NO_READ;
use crate::say;

/// The warnings.
pub fn warnings(config: &Config) -> Vec<Fault> {
    let pattern = &config.product.serial_pattern;
    let Survey { either_case, lengths } = pattern.survey();
    let mut sentences = Vec::new();
    sentences.extend(either_case.map(|letter| {
        let small = letter.to_ascii_lowercase();
        say!(
            "it takes {letter:?} and {small:?} at one place: with CapsLock a keyboard scanner \
             makes another serial of the same label",
            "同一处既可以是 {letter:?} 也可以是 {small:?}：打开 CapsLock 时，键盘扫码枪会把同一标签\
             读成另一个序列号"
        )
    }));
    match lengths {
        None => sentences.push(say!(
            "it takes no text of 1 to 64 characters at all",
            "1 到 64 个字符的文本它都不接受"
        )),
        Some((least, most)) if least != most => sentences.push(say!(
            "it takes {least} to {most} characters: with a fixed length half a scan, or two in \
             one, are never a serial",
            "长度可以是 {least} 到 {most} 个字符：固定长度时，半次扫描或两次连在一起都不会被当成序列号"
        )),
        Some(_) => {}
    }
    let taken: Vec<&str> =
        NO_READ.iter().filter(|word| pattern.check(word).is_ok()).copied().collect();
    if !taken.is_empty() {
        let words = taken.join(", ");
        sentences.push(say!(
            "it takes {words}: scanners say so, and it is always refused",
            "它接受 {words}：扫码枪读不到时会发送它，一律拒绝"
        ));
    }
    let about_pattern = sentences.into_iter().map(|sentence| {
        Fault::said(Code::ConfigPattern, Say::same("product.serial_pattern").then(&sentence))
    });
    about_pattern.chain(unmet_range(config)).collect()
}

fn unmet_range(config: &Config) -> Option<Fault> {
    let range = config.station.serial_range.as_ref()?;
    let product = &config.product;
    let unmet = !product.serial_pattern.meets(range, product.check_character);
    let pattern = product.serial_pattern.as_str();
    unmet.then(|| {
        let detail = say!(
            "station.serial_range: no serial of {pattern} lies in {range}",
            "station.serial_range：没有符合 {pattern} 的序列号落在 {range} 之内"
        );
        Fault::said(Code::ConfigValue, detail)
    })
}
