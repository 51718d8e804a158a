//! That the power cuts find something: a disk that says a commit is durable and it is not.

use super::harness::Harness;
use super::power::Disk;
use super::scenario::LINE;

/// After these a device holds an identity, or a person was told so.
const AFTER_THE_COMMIT: [&str; 3] = ["received/commit#1", "received/prove#1", "recorded/ended#1"];

#[test]
fn commits_that_never_reach_the_disk_are_found_by_a_power_cut_and_by_no_kill() {
    let harness = Harness::new(&LINE[0], Disk::DeafToCommits);
    let outcome = harness.run_at(AFTER_THE_COMMIT.map(str::to_owned).to_vec());
    for point in AFTER_THE_COMMIT {
        let found = |world: &str| {
            let start = format!("{point}, {world}: ");
            outcome.findings.iter().any(|finding| finding.starts_with(&start))
        };
        assert!(found("power lost"), "{point}: {}", outcome.story("deaf disk"));
        assert!(!found("killed"), "{point}: {}", outcome.story("deaf disk"));
    }
}
