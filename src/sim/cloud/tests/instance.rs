//! The instance: listed, and set up otherwise by its administrator.

use serde_json::{Value, json};

use super::client::{Call, ID, call, refused, running};

/// Asks for the list, which is about no instance.
fn list(fields: &Value) -> Result<Value, String> {
    Call::new("DescribeInstanceList", fields).send(&running()).unwrap().fields()
}

fn listed(filters: Value) -> u64 {
    let answer = list(&json!({ "Filters": filters })).unwrap();
    let total = answer["TotalCount"].as_u64().unwrap();
    assert_eq!(answer["Data"].as_array().unwrap().len() as u64, total);
    total
}

#[test]
fn the_list_of_instances_has_this_one_where_it_is_meant() {
    assert_eq!(listed(json!([])), 1);
    assert_eq!(listed(json!([{"Name": "InstanceId", "Values": ["other", ID]}])), 1);
    assert_eq!(listed(json!([{"Name": "InstanceStatus", "Values": ["MODIFYING"]}])), 0);
    for wrong in [
        json!({"Filters": [{"Name": "Colour", "Values": ["red"]}]}),
        json!({"Limit": 101}),
        json!({"Offset": -1}),
    ] {
        assert_eq!(list(&wrong).unwrap_err(), "InvalidParameterValue");
    }
}

#[test]
fn what_an_administrator_changes_is_what_the_instance_says_then() {
    let cloud = running();
    let said = |name: &str| call(&cloud, "DescribeInstance", json!({})).unwrap()[name].clone();
    assert_eq!((said("X509Mode"), said("AutomaticActivation")), ("BYOC".into(), false.into()));
    let config = json!({"DeviceCertificateProvisionType": "JITP", "AutomaticActivation": true});
    call(&cloud, "ModifyX509Config", config).unwrap();
    assert_eq!(said("DeviceCertificateProvisionType"), "JITP");
    call(&cloud, "ModifyInstance", json!({"Name": "line", "X509Mode": "mTLS"})).unwrap();
    assert_eq!((said("InstanceName"), said("X509Mode")), ("line".into(), "mTLS".into()));
    assert_eq!(said("DeviceCertificateProvisionType"), "JITP", "it was not named");
    // A binding names all, or takes what the page says of it.
    let binding = json!({"X509Mode": "BYOC", "SSLServerCertId": "cert-1"});
    call(&cloud, "ModifyInstanceCertBinding", binding).unwrap();
    assert_eq!(said("DeviceCertificateProvisionType"), "API");
    assert_eq!(said("AutomaticActivation"), false);
}

#[test]
fn what_the_instance_can_not_be_is_refused() {
    let cloud = running();
    for (action, fields, code) in [
        ("ModifyX509Config", json!({"X509Mode": "byoc"}), "InvalidParameterValue"),
        ("ModifyX509Config", json!({"AutomaticActivation": "yes"}), "InvalidParameter"),
        ("ModifyX509Config", json!({"Name": "line"}), "UnknownParameter"),
        ("ModifyInstance", json!({"SkuCode": "pro_1"}), "FailedOperation.CallTrade"),
        ("ModifyInstanceCertBinding", json!({}), "MissingParameter"),
        ("ModifyInstanceCertBinding", json!({"X509Mode": "BYOC"}), "MissingParameter"),
        ("DescribeDeviceCertificateBackupHistory", json!({}), "MissingParameter"),
    ] {
        assert_eq!(refused(&cloud, action, fields), code, "{action}");
    }
    let history = json!({"Destination": "mqtt-other"});
    let answer = call(&cloud, "DescribeDeviceCertificateBackupHistory", history).unwrap();
    assert_eq!(answer["Data"], json!([]));
}
