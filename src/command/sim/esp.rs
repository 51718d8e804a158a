//! `station sim esp`: simulated Espressif chips behind a pseudo-terminal.

use std::time::Duration;

use crate::cli::SimEsp;
use crate::domain::code::Code;
use crate::shell::{Exit, Failure};
use crate::sim::{self, ESP_FAULTS, EspFaults, EspOptions, EspTimes, FlashTimes, StopFlag};

use super::super::context::Context;
use super::device::{say_ready, stop_on_signal, unusable};
use super::faults::list_faults;

pub(super) fn run(esp: &SimEsp, context: &mut Context) -> Result<Exit, Failure> {
    if esp.fault.as_deref() == Some("list") {
        return list_faults(ESP_FAULTS, context);
    }
    let options = options(esp)?;
    let stop = StopFlag::new().map_err(unusable)?;
    stop_on_signal(&stop)?;
    let mut told = Ok(());
    let ready = |link: &std::path::Path| told = say_ready(context, &link.to_string_lossy());
    sim::run_esp(&options, &stop, ready).map_err(unusable)?;
    told?;
    Ok(Exit::Done)
}

fn options(esp: &SimEsp) -> Result<EspOptions, Failure> {
    let Some(link) = &esp.link else {
        let missing = Failure::new(Code::Usage, "--link is missing");
        return Err(missing.with_help("name a path for the port"));
    };
    if !sim::chip_words().any(|word| word == esp.chip) {
        let unknown = Failure::new(Code::Usage, format!("no chip is called {:?}", esp.chip));
        let known: Vec<_> = sim::chip_words().collect();
        return Err(unknown.with_help(format!("it is one of {}", known.join(", "))));
    }
    if !esp.flash_kib.is_power_of_two() {
        let odd = format!("a flash of {} KiB is not made", esp.flash_kib);
        return Err(Failure::new(Code::Usage, odd).with_help("name a power of two, as 4096"));
    }
    let faults = esp.fault.as_deref().unwrap_or_default();
    let faults = EspFaults::parse(faults).map_err(|error| Failure::of(Code::Usage, &error))?;
    let milliseconds = Duration::from_millis;
    Ok(EspOptions {
        state_dir: esp.state.clone(),
        units: esp.units,
        faults,
        seed: esp.seed,
        chip: esp.chip.clone(),
        flash_size: esp.flash_kib * 1024,
        times: EspTimes {
            flash: FlashTimes {
                erase: milliseconds(esp.erase_ms),
                program: Duration::from_micros(esp.page_us),
            },
            boot: milliseconds(esp.boot_ms),
            prove: milliseconds(esp.prove_ms),
            ..EspTimes::default()
        },
        paced: !esp.unpaced,
        ..EspOptions::new(link)
    })
}
