//! What can't work: one clear error, exit 6, and nothing is marked.

use provisioning_station::sim::cloud::{CloudFaults, Mode, start};

use crate::factory::{Factory, Ran, emulated};

/// Nothing was registered, and nothing says that anything was tried.
#[track_caller]
fn refused(factory: &Factory, ran: &Ran, code: &str) {
    assert_eq!(ran.exit, 6, "{:?}\n{}", ran.lines, ran.errors);
    let told = ran.errors.lines().filter(|line| line.starts_with("error[")).collect::<Vec<_>>();
    assert_eq!(told.len(), 1, "{}", ran.errors);
    assert!(told[0].starts_with(&format!("error[{code}]")), "{code}: {}", ran.errors);
    assert!(ran.errors.contains("\nhelp: "), "{}", ran.errors);
    let (state, registration) = factory.standing(1);
    assert_eq!((state.as_str(), registration.as_str()), ("proven", "waiting"));
}

#[test]
fn a_ca_that_the_cloud_does_not_know() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::new(&cloud.url());
    factory.prove(1..=3);
    refused(&factory, &factory.sync(), "E-CLOUD-CA");
    factory.run(&["authority", "register"]).expect(0);
    assert_eq!(factory.sync().expect(0).summary()["registered"], 3);
}

#[test]
fn wrong_credentials() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    factory.secret("secret-key", "another-key");
    refused(&factory, &factory.sync(), "E-CLOUD-CREDENTIALS");
    std::fs::remove_file(factory.path("secret-key")).unwrap();
    refused(&factory, &factory.sync(), "E-CLOUD-CREDENTIALS");
}

#[test]
fn a_clock_that_is_wrong() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    cloud.change_faults(CloudFaults::parse("skew=900").unwrap());
    let ran = factory.sync();
    refused(&factory, &ran, "E-CLOUD-CLOCK");
    assert!(ran.errors.contains("15 minutes behind"), "{}", ran.errors);
}

#[test]
fn an_instance_that_is_another_one_or_set_up_otherwise() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    cloud.change_instance(|instance| instance.mode = Mode::Automatic);
    refused(&factory, &factory.sync(), "E-CLOUD-MODE");
    cloud.change_instance(|instance| instance.mode = Mode::Manual);
    cloud.change_instance(|instance| instance.x509_mode = "mTLS".to_owned());
    refused(&factory, &factory.sync(), "E-CLOUD-MODE");
    cloud.change_instance(|instance| instance.x509_mode = "BYOC".to_owned());
    cloud.change_instance(|instance| instance.edition = "BASIC".to_owned());
    refused(&factory, &factory.sync(), "E-CLOUD-MODE");
    factory.instance = "mqtt-other";
    factory.configure();
    refused(&factory, &factory.sync(), "E-CLOUD-INSTANCE-CHANGED");
}

#[test]
fn an_instance_that_does_not_exist() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::new(&cloud.url());
    factory.prove(1..=3);
    factory.instance = "mqtt-other";
    factory.configure();
    refused(&factory, &factory.sync(), "E-CLOUD-INSTANCE");
}

#[test]
fn the_international_site_without_the_action() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    cloud.change_faults(CloudFaults::parse("invalid-action").unwrap());
    let ran = factory.sync();
    refused(&factory, &ran, "E-CLOUD-ACTION");
    assert!(ran.errors.contains("export"), "{}", ran.errors);
}

#[test]
fn a_cloud_that_is_not_there() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    drop(cloud);
    refused(&factory, &factory.run(&["sync", "--deadline", "10s"]), "E-CLOUD-UNREACHABLE");
}
