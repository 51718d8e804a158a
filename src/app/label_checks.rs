//! What is odd about how station.toml says labels are: nothing that is forbidden, and much
//! that a factory would rather hear before the first shift.

use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::label::Survey;
use crate::domain::scan::NO_READ;

/// The warnings.
pub fn warnings(config: &Config) -> Vec<Fault> {
    let pattern = &config.product.serial_pattern;
    let Survey { either_case, lengths } = pattern.survey();
    let mut sentences = Vec::new();
    sentences.extend(either_case.map(|letter| {
        let small = letter.to_ascii_lowercase();
        format!(
            "it takes {letter:?} and {small:?} at one place: with CapsLock a keyboard scanner \
             makes another serial of the same label"
        )
    }));
    match lengths {
        None => sentences.push("it takes no text of 1 to 64 characters at all".to_owned()),
        Some((least, most)) if least != most => sentences.push(format!(
            "it takes {least} to {most} characters: with a fixed length half a scan, or two in \
             one, are never a serial"
        )),
        Some(_) => {}
    }
    let taken: Vec<&str> =
        NO_READ.iter().filter(|word| pattern.check(word).is_ok()).copied().collect();
    if !taken.is_empty() {
        let words = taken.join(", ");
        sentences.push(format!("it takes {words}: scanners say so, and it is always refused"));
    }
    let about_pattern = sentences.into_iter().map(|sentence| {
        Fault::new(Code::ConfigPattern, format!("product.serial_pattern: {sentence}"))
    });
    about_pattern.chain(unmet_range(config)).collect()
}

fn unmet_range(config: &Config) -> Option<Fault> {
    let range = config.station.serial_range.as_ref()?;
    let product = &config.product;
    let unmet = !product.serial_pattern.meets(range, product.check_character);
    let pattern = product.serial_pattern.as_str();
    unmet.then(|| {
        let detail = format!("station.serial_range: no serial of {pattern} lies in {range}");
        Fault::new(Code::ConfigValue, detail)
    })
}
