//! Lists: filters, order, pages.

use serde_json::{Value, json};

use super::client::{Ca, call, device, refused, running};

const LIST: &str = "DescribeDeviceCertificates";

#[test]
fn a_list_is_filtered_ordered_and_paged() {
    let (cloud, ca, other) = (running(), Ca::new(&[0x11]), Ca::new(&[0x12]));
    let (sn, other_sn) = (ca.register(&cloud), other.register(&cloud));
    for number in 1..=5 {
        let id = format!("unit-{number}");
        let fields = device(&ca.issue(&id, &[0x20 + number]), &sn, &id);
        call(&cloud, "RegisterDeviceCertificate", fields).unwrap();
    }
    let fields = device(&other.issue("unit-9", &[0x29]), &other_sn, "unit-1");
    call(&cloud, "RegisterDeviceCertificate", fields).unwrap();
    // Times are in milliseconds, and rows of the same one keep the order of registration.
    let registered = jiff::Timestamp::now().as_millisecond();
    while jiff::Timestamp::now().as_millisecond() == registered {
        std::hint::spin_loop();
    }
    call(&cloud, "DeactivateDeviceCertificate", json!({"DeviceCertificateSn": "22"})).unwrap();
    let found = |fields: Value| -> (u64, String) {
        let answer = call(&cloud, LIST, fields).unwrap();
        let sns = answer["Data"].as_array().unwrap().iter();
        let sns = sns.map(|item| item["DeviceCertificateSn"].as_str().unwrap().to_owned());
        (answer["TotalCount"].as_u64().unwrap(), sns.collect::<Vec<_>>().join(" "))
    };
    let all = |all: &str| (6, all.to_owned());
    let by = |order: &str| found(json!({"OrderBy": order}));
    assert_eq!(by("CREATE_TIME_ASC"), all("21 22 23 24 25 29"));
    assert_eq!(by("CREATE_TIME_DESC"), all("29 25 24 23 22 21"));
    assert_eq!(found(json!({})), all("29 25 24 23 22 21"));
    assert!(by("UPDATE_TIME_DESC").1.starts_with("22"), "{:?}", by("UPDATE_TIME_DESC"));
    assert!(by("UPDATE_TIME_ASC").1.ends_with("22"));
    let page = json!({"OrderBy": "CREATE_TIME_ASC", "Offset": 4, "Limit": 1});
    assert_eq!(found(page), all("25"));
    let filtered = |name: &str, values: Value| {
        found(json!({"Filters": [{"Name": name, "Values": values}], "OrderBy": "CREATE_TIME_ASC"}))
    };
    assert_eq!(filtered("CaSn", json!(["12"])), (1, "29".to_owned()));
    assert_eq!(filtered("ClientId", json!(["unit-1"])), (2, "21 29".to_owned()));
    assert_eq!(filtered("DeviceCertificateCn", json!(["unit-9"])), (1, "29".to_owned()));
    assert_eq!(filtered("Status", json!(["INACTIVE", "REVOKED"])), (1, "22".to_owned()));
    assert_eq!(filtered("OrganizationalUnit", json!(["TH201"])), (0, String::new()));
    assert_eq!(filtered("NotAfterEnd", json!(["0"])), (0, String::new()));
    assert_eq!(filtered("NotAfterStart", json!(["0"])).0, 6);
    let both = json!([
        {"Name": "ClientId", "Values": ["unit-1"]},
        {"Name": "CaSn", "Values": ["11"]},
    ]);
    assert_eq!(found(json!({"Filters": both})), (1, "21".to_owned()));
}

#[test]
fn what_a_list_can_t_be_asked_is_refused() {
    let cloud = running();
    let code = |fields: Value| refused(&cloud, LIST, fields);
    assert_eq!(code(json!({"Limit": 101})), "InvalidParameterValue");
    assert_eq!(code(json!({"Limit": 0})), "InvalidParameterValue");
    assert_eq!(code(json!({"Offset": -1})), "InvalidParameterValue");
    assert_eq!(code(json!({"OrderBy": "NAME"})), "InvalidParameterValue");
    let filter = |filter: Value| code(json!({"Filters": [filter]}));
    assert_eq!(filter(json!({"Name": "Colour", "Values": ["x"]})), "InvalidParameterValue");
    assert_eq!(filter(json!({"Name": "CaSn", "Value": ["x"]})), "UnknownParameter");
    assert_eq!(filter(json!({"Name": "CaSn"})), "MissingParameter");
    assert_eq!(filter(json!({"Name": "CaSn", "Values": [1]})), "InvalidParameter");
    assert_eq!(filter(json!({"Name": "NotAfterEnd", "Values": ["x"]})), "InvalidParameterValue");
}
