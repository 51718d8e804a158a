//! What a line itself has to say, where something can't be done.

use std::time::Duration;

use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::say::Say;
use crate::say;

/// A device that passed gives an answer that makes no sense, and says in it who it is.
pub(super) fn senseless(fault: Fault) -> Fault {
    let Fault { detail, chinese, .. } = fault;
    let chinese = chinese.unwrap_or_else(|| detail.clone());
    let what = Say {
        english: format!("the device passed, still stands there, and now {detail}"),
        chinese: format!("设备已合格，仍在原处，现在：{chinese}"),
    };
    Fault::said(Code::DevContradiction, what)
}

/// No slot can be used, and the last one for this reason.
pub(super) fn no_slot(last: Option<Fault>) -> Fault {
    match last {
        Some(fault) => {
            let code = match fault.code {
                code @ (Code::PortMissing | Code::PortBusy | Code::PortSettings) => code,
                _ => Code::PortOpen,
            };
            let Fault { detail, chinese, .. } = fault;
            let own = chinese.unwrap_or_else(|| detail.clone());
            let english = format!("no slot can be used: {detail}");
            Fault::said(code, Say { english, chinese: format!("没有可用的工位：{own}") })
        }
        None => Fault::said(Code::PortOpen, say!("no slot can be used", "没有可用的工位")),
    }
}

/// It is no label that is waited for, and no slot is free for a unit.
pub(super) fn takes_none() -> Fault {
    let detail = say!(
        "the line takes no scan at this moment; scan it again when a slot is free",
        "产线此刻不接受扫码；有工位空闲时再扫"
    );
    Fault::said(Code::ScanAhead, detail)
}

/// The CA's token does not come back from a call, which can't be broken off.
pub(super) fn token_is_silent(time: Duration) -> Fault {
    let seconds = time.as_secs();
    let detail = say!(
        "the CA's token has given no answer for {seconds} s; units that want a certificate wait for it",
        "CA 的令牌已有 {seconds} 秒没有回答；要证书的单元在等它"
    );
    Fault::said(Code::HsmToken, detail)
}

/// The line's own thread is gone.
pub(super) fn panicked() -> Fault {
    Fault::said(Code::Bug, say!("the line's thread panicked", "产线的线程崩溃了"))
}

/// Somebody stops it.
pub(super) fn told_to_stop() -> Fault {
    Fault::said(Code::Stopped, say!("the station was told to stop", "本站被要求停止"))
}

/// Nobody said which device a label is for.
pub(super) fn binding_warning() -> Fault {
    Fault::said(
        Code::ScanSlot,
        say!(
            "several devices wait and labels name no slot, so the binding is \"any\": put a label on \
             after PASS, or bind it by SLOT<tab>SERIAL",
            "有多个设备在等，而标签没有指定工位，因此标签归任意设备：合格后再贴标签，\
             或用“工位<tab>序列号”指定"
        ),
    )
}
