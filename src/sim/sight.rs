//! What a scanner would read from a label in ZPL: enough of a printer to know what the QR
//! code on it says. It shares nothing with what makes labels, so that it can contradict it.

/// What the first QR code of a label says.
pub fn read_label(zpl: &str) -> Option<String> {
    let (_, behind) = zpl.split_once("^BQ")?;
    let (before_data, behind) = behind.split_once("^FD")?;
    let (data, _) = behind.split_once("^FS")?;
    let indicator = before_data
        .split_once("^FH")
        .map(|(_, behind)| behind.chars().next().filter(|c| *c != '^').unwrap_or('_'));
    let text = match indicator {
        Some(indicator) => without_escapes(data, indicator)?,
        None => data.to_owned(),
    };
    // A level of error correction, a mode, a comma.
    text.get(3..).map(str::to_owned)
}

fn without_escapes(data: &str, indicator: char) -> Option<String> {
    let mut parts = data.split(indicator);
    let mut text = parts.next()?.to_owned();
    for part in parts {
        text.push(char::from(u8::from_str_radix(part.get(..2)?, 16).ok()?));
        text.push_str(&part[2..]);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_a_label_is_read() {
        let zpl = "^XA^FO1,1^FDx^FS^FO9,9^BQN,2,6^FH_^FDQA,TH_5E200^FS^XZ";
        assert_eq!(read_label(zpl).as_deref(), Some("TH^200"));
        assert_eq!(read_label("^XA^BQN,2,6^FDQA,TH200^FS").as_deref(), Some("TH200"));
        assert_eq!(read_label("^XA^FDTH200^FS^XZ"), None);
    }
}
