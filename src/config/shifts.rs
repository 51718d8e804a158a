//! `[[shifts]]`: when who works here.

use super::kinds::Section;
use super::raw;
use super::refusal::Refusal;
use crate::domain::local::Shift;
use crate::say;

/// Checks the shifts; no time of the day belongs to two.
pub(super) fn shifts(raw: Vec<Section<raw::Shift>>) -> Result<Vec<Shift>, Refusal> {
    let mut shifts: Vec<(Shift, std::ops::Range<usize>)> = Vec::new();
    for section in raw {
        let raw = section.into_keys();
        let (name, from) = (raw.name.span(), raw.from.span());
        let shift = shift(raw)?;
        if let Some((twin, first)) = shifts.iter().find(|(other, _)| other.name == shift.name) {
            let (first, what) = (first.clone(), format!("the name {:?}", twin.name));
            return Err(Refusal::Twice { span: name, first, what });
        }
        if let Some((other, _)) = shifts.iter().find(|(other, _)| other.overlaps(&shift)) {
            let why = say!(
                "overlaps with {}, {} to {}",
                "与 {} 重叠，{} 到 {}",
                other.name,
                other.from,
                other.to
            );
            return Err(Refusal::Value { span: from, why });
        }
        shifts.push((shift, name));
    }
    Ok(shifts.into_iter().map(|(shift, _)| shift).collect())
}

fn shift(raw: raw::Shift) -> Result<Shift, Refusal> {
    let name = raw.name.value();
    if !(1..=32).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(raw.name.refuse(say!(
            "a shift's name is 1 to 32 characters without control codes",
            "班次名是 1 到 32 个字符，不含控制字符"
        )));
    }
    let (from, to) = (raw.from.value().0, raw.to.value().0);
    if from == to {
        return Err(raw
            .to
            .refuse(say!("the shift ends when it begins", "班次的结束时间与开始时间相同")));
    }
    let plan = raw.plan.map(|plan| plan.0);
    Ok(Shift { name: raw.name.into_value(), from, to, plan })
}
