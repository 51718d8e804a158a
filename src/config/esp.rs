//! `[esp]`: where an Espressif chip keeps its identity.

use super::kinds::{Placed, Section};
use super::line::Slot;
use super::raw;
use super::refusal::Refusal;
use super::words::Restart;
use crate::domain::esp::{CHIP_WORDS, EspApplication, EspForm, EspKeys, EspPlace};
use crate::domain::family::Family;
use crate::say;

/// What is erased together: offsets and sizes are multiples of it.
const SECTOR: u32 = 4096;

/// The longest name of a partition, and of a namespace and a key of NVS.
const LONGEST_PARTITION: usize = 15;
const LONGEST_NAME: usize = 15;

/// Checks `[esp]`, and that the slots can be used as it says.
pub(super) fn esp(raw: Option<Section<raw::Esp>>, slots: &[Slot]) -> Result<EspPlace, Refusal> {
    let raw = raw.map(Section::into_keys).unwrap_or_default();
    let form = raw.format.map_or(EspForm::Tlv, |word| word.0);
    refuse_unused(&raw, form)?;
    let application =
        raw.application.as_ref().map_or(EspApplication::Framed, |word| word.value().0);
    if let Some(placed) = raw.application.filter(|_| application == EspApplication::Silent) {
        refuse_without_lines(&placed, slots)?;
    }
    let usual = EspPlace::default();
    Ok(EspPlace {
        chip: raw.chip.map(chip).transpose()?,
        partition: match raw.partition {
            Some(name) => named(name, LONGEST_PARTITION)?,
            None => form.usual_partition().to_owned(),
        },
        offset: raw.offset.map(whole_sectors).transpose()?,
        size: raw.size.map(whole_sectors).transpose()?,
        form,
        namespace: raw.namespace.map_or(Ok(usual.namespace), |name| named(name, LONGEST_NAME))?,
        keys: raw.keys.map_or(Ok(usual.keys), |keys| self::keys(keys.into_keys()))?,
        baud: raw.baud.map_or(usual.baud, |baud| baud.0),
        application,
    })
}

fn refuse_unused(raw: &raw::Esp, form: EspForm) -> Result<(), Refusal> {
    let why = say!("belongs to format = \"nvs\"", "用于 format = \"nvs\"");
    match form {
        EspForm::Nvs => Ok(()),
        EspForm::Tlv => match (&raw.namespace, &raw.keys) {
            (Some(namespace), _) => Err(namespace.refuse(why)),
            (None, Some(keys)) => Err(keys.refuse(why)),
            (None, None) => Ok(()),
        },
    }
}

/// Only its own lines bring a chip back from an application that says nothing.
fn refuse_without_lines(
    placed: &Placed<super::kinds::Word<EspApplication>>,
    slots: &[Slot],
) -> Result<(), Refusal> {
    let is_esp = |slot: &&Slot| slot.driver.may_be(Family::Esp);
    match slots.iter().filter(is_esp).find(|slot| slot.restart == Restart::Command) {
        None => Ok(()),
        Some(slot) => Err(placed.refuse(say!("needs DTR and RTS at each slot for such chips, to reset them: slot {} has restart \
             = \"command\", write \"rts\"", "这类芯片的每个工位都需要 DTR 和 RTS 来复位：工位 {} 的 restart 是 \"command\"，请写 \"rts\"",
            slot.name
        ))),
    }
}

fn chip(word: Placed<String>) -> Result<&'static str, Refusal> {
    let found = CHIP_WORDS.into_iter().find(|known| known == word.value());
    found.ok_or_else(|| {
        word.refuse(say!(
            "{:?} is none of {}",
            "{:?} 不是下列之一：{}",
            word.value(),
            CHIP_WORDS.join(", ")
        ))
    })
}

fn whole_sectors(number: Placed<u32>) -> Result<u32, Refusal> {
    match *number.value() {
        0 => Err(number.refuse(say!("must not be 0", "不能是 0"))),
        value if value % SECTOR != 0 => Err(number
            .refuse(say!("must be a multiple of 4096 (0x1000)", "必须是 4096（0x1000）的倍数"))),
        value => Ok(value),
    }
}

fn named(name: Placed<String>, longest: usize) -> Result<String, Refusal> {
    let text = name.value();
    let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    match is_plain && text.len() <= longest {
        true => Ok(name.into_value()),
        false => Err(name.refuse(say!(
            "must have 1 to {longest} visible ASCII characters",
            "必须是 1 到 {longest} 个可见 ASCII 字符"
        ))),
    }
}

fn keys(raw: raw::EspKeys) -> Result<EspKeys, Refusal> {
    let raw::EspKeys { certificate, key, ca, uri, client_id, record } = raw;
    let usual = EspKeys::default();
    let span = |name: &Option<Placed<String>>| name.as_ref().map(Placed::span);
    let spans = [&certificate, &key, &ca, &uri, &client_id, &record].map(span);
    let name = |found: Option<Placed<String>>, usual: String| match found {
        Some(found) => named(found, LONGEST_NAME),
        None => Ok(usual),
    };
    let keys = EspKeys {
        certificate: name(certificate, usual.certificate)?,
        key: name(key, usual.key)?,
        ca: name(ca, usual.ca)?,
        uri: name(uri, usual.uri)?,
        client_id: name(client_id, usual.client_id)?,
        record: name(record, usual.record)?,
    };
    let all = keys.all();
    for (at, (name, span)) in all.iter().zip(spans).enumerate() {
        let is_twice = all.iter().enumerate().any(|(other, twin)| other != at && twin == name);
        if let Some(span) = span.filter(|_| is_twice) {
            let why =
                say!("{name:?} is the name of another key too", "{name:?} 也是另一个键的名字");
            return Err(Refusal::Value { span, why });
        }
    }
    Ok(keys)
}
