//! `station sim esp`: simulated Espressif chips behind a pseudo-terminal.

use std::time::Duration;

use crate::cli::SimEsp;
use crate::domain::code::Code;
use crate::say;
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
        let missing = Failure::said(Code::Usage, say!("--link is missing", "缺少 --link"));
        return Err(missing.with_help(say!("name a path for the port", "指定端口的路径")));
    };
    if !sim::chip_words().any(|word| word == esp.chip) {
        let unknown = Failure::said(
            Code::Usage,
            say!("no chip is called {:?}", "没有叫 {:?} 的芯片", esp.chip),
        );
        let known: Vec<_> = sim::chip_words().collect();
        return Err(unknown.with_help(say!("it is one of {}", "可以是：{}", known.join(", "))));
    }
    if !esp.flash_kib.is_power_of_two() {
        let odd = say!("a flash of {} KiB is not made", "没有 {} KiB 的闪存", esp.flash_kib);
        return Err(Failure::said(Code::Usage, odd)
            .with_help(say!("name a power of two, as 4096", "写 2 的幂，例如 4096")));
    }
    let faults = esp.fault.as_deref().unwrap_or_default();
    let faults = EspFaults::parse(faults).map_err(|error| Failure::told(Code::Usage, &error))?;
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
