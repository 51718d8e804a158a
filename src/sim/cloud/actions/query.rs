//! `DescribeDeviceCertificates`: filters, order and pages.
//!
//! Several filters must all hold; of several values of one filter, any. The API's page says
//! nothing about either, so a client had better not depend on it.

use serde_json::{Map, Value, json};

use super::action::Work;
use super::certificates::item;
use crate::cloud::book::{Book, CertificateRow};
use crate::cloud::fields::{Fields, wrong_type};
use crate::cloud::instance::SerialForm;
use crate::cloud::refusal::{Answer, Refusal};

const USUAL_LIMIT: i64 = 20;
const MOST: i64 = 100;

/// One filter: what is compared, and with which values.
struct Filter {
    field: Field,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    ClientId,
    CaSn,
    Sn,
    Cn,
    OrganizationalUnit,
    NotAfterEnd,
    NotAfterStart,
    Status,
}

const FIELDS: [(&str, Field); 8] = [
    ("ClientId", Field::ClientId),
    ("CaSn", Field::CaSn),
    ("DeviceCertificateSn", Field::Sn),
    ("DeviceCertificateCn", Field::Cn),
    ("OrganizationalUnit", Field::OrganizationalUnit),
    ("NotAfterEnd", Field::NotAfterEnd),
    ("NotAfterStart", Field::NotAfterStart),
    ("Status", Field::Status),
];

pub(super) fn list(work: &mut Work<'_>, fields: &Fields) -> Answer {
    let (limit, offset) = page(fields)?;
    let filters: Vec<Filter> =
        fields.list("Filters")?.iter().map(filter).collect::<Result<_, _>>()?;
    let form = work.serial_form;
    let mut found = matching(work.book, &filters, form);
    order(&mut found, fields.text("OrderBy")?)?;
    let total = found.len();
    let page = found.into_iter().skip(offset).take(limit);
    let data: Vec<Value> = page.map(|row| item(row, form).into()).collect();
    let answer = [("TotalCount".to_owned(), json!(total)), ("Data".to_owned(), data.into())];
    Ok(Map::from_iter(answer))
}

/// How many are wanted, and behind how many.
pub(super) fn page(fields: &Fields) -> Result<(usize, usize), Refusal> {
    let limit = fields.number("Limit")?.unwrap_or(USUAL_LIMIT);
    let offset = fields.number("Offset")?.unwrap_or(0);
    if !(1..=MOST).contains(&limit) {
        return Err(Refusal::value("Limit", "1 to 100 is expected"));
    }
    let offset = usize::try_from(offset).map_err(|_| Refusal::value("Offset", "negative"))?;
    Ok((usize::try_from(limit).unwrap_or_default(), offset))
}

/// The filters of a request: their names and values.
pub(super) fn named_values(fields: &Fields) -> Result<Vec<(String, Vec<String>)>, Refusal> {
    fields.list("Filters")?.iter().map(named_value).collect()
}

fn filter(value: &Value) -> Result<Filter, Refusal> {
    let (name, values) = named_value(value)?;
    let field = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
    let field = field.ok_or_else(|| Refusal::value("Filters.Name", "no such filter"))?;
    match (field, values.iter().all(|value| value.parse::<i64>().is_ok())) {
        (Field::NotAfterEnd | Field::NotAfterStart, false) => {
            Err(Refusal::value("Filters.Values", "milliseconds are expected"))
        }
        _ => Ok(Filter { field, values }),
    }
}

fn named_value(value: &Value) -> Result<(String, Vec<String>), Refusal> {
    let object = value.as_object().ok_or_else(|| wrong_type("Filters", "a list of objects"))?;
    if let Some(name) = object.keys().find(|name| !["Name", "Values"].contains(&name.as_str())) {
        let why = format!("the parameter Filters.{name} is not recognized");
        return Err(Refusal::new("UnknownParameter", why));
    }
    let name = object.get("Name").and_then(Value::as_str);
    let name = name.ok_or_else(|| Refusal::missing("Filters.Name"))?;
    let values = object.get("Values").and_then(Value::as_array);
    let values = values.ok_or_else(|| Refusal::missing("Filters.Values"))?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let values: Option<Vec<String>> = values.iter().map(text).collect();
    let values = values.ok_or_else(|| wrong_type("Filters.Values", "a list of strings"))?;
    Ok((name.to_owned(), values))
}

fn matching<'b>(book: &'b Book, filters: &[Filter], form: SerialForm) -> Vec<&'b CertificateRow> {
    let holds = |row: &&CertificateRow| filters.iter().all(|filter| filter.holds(row, form));
    // One serial number is looked up, not searched for.
    if let Some(Filter { values, .. }) = filters.iter().find(|filter| filter.field == Field::Sn) {
        let found = values.iter().filter_map(|text| form.parse(text));
        return found.filter_map(|sn| book.certificate(&sn)).filter(holds).collect();
    }
    book.certificates().filter(holds).collect()
}

impl Filter {
    fn holds(&self, row: &CertificateRow, form: SerialForm) -> bool {
        self.values.iter().any(|value| match self.field {
            Field::ClientId => row.client_id == *value,
            Field::CaSn => form.print(&row.ca) == *value,
            Field::Sn => form.print(&row.sn) == *value,
            Field::Cn => row.cn == *value,
            Field::OrganizationalUnit => row.ou == *value,
            Field::NotAfterEnd => value.parse().is_ok_and(|end| row.not_after <= end),
            Field::NotAfterStart => value.parse().is_ok_and(|start| row.not_after >= start),
            Field::Status => row.status.as_str() == value,
        })
    }
}

fn order(rows: &mut [&CertificateRow], by: Option<&str>) -> Result<(), Refusal> {
    // They come in the order of registration, and the sorts keep it among equals.
    match by {
        None | Some("CREATE_TIME_DESC") => rows.reverse(),
        Some("CREATE_TIME_ASC") => {}
        Some("UPDATE_TIME_ASC") => rows.sort_by_key(|row| row.times.updated),
        Some("UPDATE_TIME_DESC") => {
            rows.reverse();
            rows.sort_by_key(|row| std::cmp::Reverse(row.times.updated));
        }
        Some(_) => return Err(Refusal::value("OrderBy", "no such order")),
    }
    Ok(())
}
