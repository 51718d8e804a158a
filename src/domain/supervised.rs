//! What only a supervisor may do, from the first supervisor on.

use super::person::Person;
use super::record::Record;

/// The person who must be a supervisor for this record, from the first supervisor on.
/// Records of the line and of a sync need none, and neither does what undoes nothing:
/// shipping, activating, exporting.
pub fn supervised(record: &Record) -> Option<&Person> {
    match record {
        Record::UnitVoided(act) | Record::ReworkAllowed(act) | Record::UnitScrapped(act) => {
            Some(&act.by)
        }
        Record::WorkOrderCreated(created) => Some(&created.by),
        Record::WorkOrderClosed(act) => Some(&act.by),
        Record::GrantTaken(taken) => Some(&taken.by),
        Record::GrantGivenBack(given) => Some(&given.by),
        Record::ProfileAccepted(accepted) => Some(&accepted.by),
        Record::ClockAccepted(accepted) => Some(&accepted.by),
        Record::Restored(restored) => Some(&restored.by),
        Record::GapAccepted(accepted) if !accepted.compared => Some(&accepted.by),
        Record::Adopted(adopted) => Some(&adopted.by),
        Record::IndicesRebuilt(rebuilt) => Some(&rebuilt.by),
        Record::Vouched(vouched) => Some(&vouched.by),
        Record::OperatorAdded(added) => Some(&added.by),
        Record::OperatorDisabled(disabled) => Some(&disabled.by),
        Record::PinChanged(changed) if !changed.with_authority => Some(&changed.by),
        Record::PinChanged(_)
        | Record::GapAccepted(_)
        | Record::SignedIn(_)
        | Record::PinWrong(_)
        | Record::PinRight(_)
        | Record::LineStarted(_)
        | Record::AuthoritySeen(_)
        | Record::Begun(_)
        | Record::FailedEarly(_)
        | Record::Issued(_)
        | Record::CommitAsked(_)
        | Record::Proven(_)
        | Record::Finished(_)
        | Record::Denied(_)
        | Record::Ended(_)
        | Record::AuthorityRegistered(_)
        | Record::RegisteredByHand(_)
        | Record::Sent(_)
        | Record::Answered(_)
        | Record::Found(_)
        | Record::Contradicted(_)
        | Record::CloudChosen(_)
        | Record::ActivationAsked(_)
        | Record::Shipped(_)
        | Record::CrlIssued(_)
        | Record::LabelSent(_)
        | Record::LabelDelivered(_)
        | Record::LabelScanned(_)
        | Record::LabelsChosen(_) => None,
    }
}
