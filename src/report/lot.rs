//! A lot's sheet for its customer: what the lot is, and how it can be checked.

use maud::{Markup, PreEscaped, html};

use super::layout::{Look, outside};
use crate::domain::lot::Lot;
use crate::say;
use crate::text::{proof_word, unit_word};

/// Exceptions that are named.
const NAMED: usize = 200;

/// The whole sheet.
pub fn lot_html(lot: &Lot, look: Look<'_>) -> String {
    let id = lot.order.work_order.id.as_str();
    let title = look.say(say!("Certificate of conformity: lot {id}", "合格证明：批次 {id}"));
    let below = look.say(say!(
        "Each unit listed proved to the station that it holds the private key of its certificate, or was read back, as stated below.",
        "下列单元均已向工站证明其持有证书私钥，或按下述方式回读验证。"
    ));
    look.page(
        &title,
        html! {
            (look.header(&title, &below))
            main class="sheet" {
                section class="card" { (facts(lot, look)) }
                br;
                section class="card" { (evidence(lot, look)) }
                br;
                section class="card long" { (exceptions(lot, look)) }
            }
            (look.footer(lot.made_at))
        },
    )
}

fn facts(lot: &Lot, look: Look<'_>) -> Markup {
    let order = &lot.order.work_order;
    let (count, quantity) = (lot.count, order.quantity);
    html! {
        h2 { (look.say(say!("The lot", "批次"))) }
        dl {
            dt { (look.say(say!("Work order", "工单"))) } dd { b { (outside(order.id.as_str())) } @if lot.order.closed { " (" (look.say(say!("closed", "已关闭"))) ")" } }
            dt { (look.say(say!("Product", "产品"))) } dd { (outside(&order.product)) }
            dt { (look.say(say!("Product profile, SHA-256", "产品配置 SHA-256"))) } dd class="code" { (order.profile) }
            dt { (look.say(say!("Quantity", "数量"))) } dd { (look.say(say!("{count} of {quantity} units", "{count} / {quantity} 台"))) }
            @if let Some((first, last)) = &lot.serials {
                dt { (look.say(say!("Serials", "序列号"))) } dd class="code" { (outside(first.as_str())) " – " (outside(last.as_str())) }
            }
            @for (proof, count) in &lot.proofs {
                dt { (look.say(say!("Proof", "证明方式"))) ": " (look.word(proof_word(*proof))) } dd { (look.say(say!("{count} units", "{count} 台"))) }
            }
            dt { (look.say(say!("In the cloud", "云端已注册"))) } dd { @let registered: u64 = lot.registered; (look.say(say!("{registered} of {count} units", "{registered} / {count} 台"))) }
        }
    }
}

fn evidence(lot: &Lot, look: Look<'_>) -> Markup {
    let head = &lot.head;
    let (from, until) = lot.authority_valid;
    let seq = head.seq;
    html! {
        h2 { (look.say(say!("How it can be checked", "如何核验"))) }
        div class="qr" {
            (code(&lot.code(), look))
            p class="note" { (look.say(say!(
                "The code holds the work order, the quantity, the SHA-256 of the table of units, the journal's head and the CA's fingerprint. The lot's bundle says how each unit is verified offline.",
                "二维码包含工单、数量、单元表 SHA-256、日志末端和 CA 指纹。批次包说明如何离线核验每个单元。"
            ))) }
        }
        dl {
            dt { (look.say(say!("CA", "签发 CA"))) } dd { (outside(&lot.authority)) }
            dt { (look.say(say!("CA certificate, SHA-256", "CA 证书 SHA-256"))) } dd class="code" { (lot.authority_fingerprint) }
            dt { (look.say(say!("CA valid", "CA 有效期"))) } dd { (look.time(from)) " – " (look.time(until)) }
            dt { (look.say(say!("Table of units, SHA-256", "单元表 SHA-256"))) } dd class="code" { (lot.units_sha256) }
            dt { (look.say(say!("Journal's head", "日志末端"))) } dd class="code" { (look.say(say!("entry {seq}", "第 {seq} 条"))) " " (head.hash) }
            dt { (look.say(say!("Its signature", "其签名"))) } dd class="code" { (head.signature) }
            dt { (look.say(say!("Journal key", "日志密钥"))) } dd class="code" { (head.public_key) }
        }
    }
}

fn exceptions(lot: &Lot, look: Look<'_>) -> Markup {
    let left = lot.exception_count.saturating_sub(lot.exceptions.len().min(NAMED) as u64);
    html! {
        h2 { (look.say(say!("Not in the lot", "不在批次内"))) }
        @if lot.exceptions.is_empty() { p class="dim" { (look.say(say!("No unit of the work order was left out.", "工单内没有被排除的单元。"))) } } @else {
            table {
                thead { tr { th { (look.say(say!("Unit", "单元"))) } th { (look.say(say!("State", "状态"))) } } }
                tbody { @for (serial, state) in lot.exceptions.iter().take(NAMED) {
                    tr { td { (look.unit(serial.as_str())) } td { (look.word(unit_word(*state))) } }
                } }
            }
            @if left > 0 { p class="note" { (look.say(say!("and {left} more", "另有 {left} 台"))) } }
        }
    }
}

/// A QR code as SVG: one path of its dark modules.
fn code(text: &str, look: Look<'_>) -> Markup {
    let Ok(code) = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M) else {
        return html! {};
    };
    let width = code.width();
    let dark =
        code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == qrcode::Color::Dark);
    // Four light modules stand around a code.
    let path: String = dark
        .map(|(index, _)| format!("M{} {}h1v1h-1z", index % width + 4, index / width + 4))
        .collect();
    let size = width + 8;
    let name = look.say(say!("QR code", "二维码"));
    html! {
        (PreEscaped(format!("<svg role=\"img\" aria-label=\"{name}\" viewBox=\"0 0 {size} {size}\" shape-rendering=\"crispEdges\"><path fill=\"#000\" d=\"{path}\"></path></svg>")))
    }
}
