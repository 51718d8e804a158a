//! Cards of the station's own: badges, slots, work orders. Their layout is no setting.

use super::error::PrintError;
use super::language::Language;
use super::layout::Template;
use super::pieces::{Field, Whose};

/// What a card says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// In large letters.
    pub title: String,
    /// Below, in small ones.
    pub note: String,
    /// What a scanner reads.
    pub code: String,
}

/// A card for a printer of this language.
pub fn card(language: Language, card: &Card) -> Result<Vec<u8>, PrintError> {
    let value = |field| match field {
        Field::Title => card.title.as_str(),
        Field::Note => card.note.as_str(),
        Field::Qr => card.code.as_str(),
        _ => "",
    };
    // That these templates can be read is held by a test.
    let template = Template::read(text(language), language, Whose::Cards);
    template.map_or(Ok(String::new()), |template| template.fill(value)).map(String::into_bytes)
}

/// 50 mm wide and 30 mm high, at 203 dpi.
const fn text(language: Language) -> &'static str {
    match language {
        Language::Zpl => {
            "^XA^CI28^PW400^LL240\n^FO20,30^BQN,2,6^FDQA,{qr}^FS\n\
             ^FO200,50^A0N,44,44^FB190,2^FD{title}^FS\n^FO200,150^A0N,24,24^FB190,3^FD{note}^FS\n^XZ\n"
        }
        Language::Tspl => {
            "SIZE 50 mm,30 mm\r\nGAP 2 mm,0\r\nCLS\r\nQRCODE 20,30,M,6,A,0,\"{qr}\"\r\n\
             TEXT 200,50,\"4\",0,1,1,\"{title}\"\r\nTEXT 200,120,\"2\",0,1,1,\"{note}\"\r\nPRINT 1,1\r\n"
        }
        Language::Epl => {
            "N\nq400\nQ240,24\nb20,30,Q,s6,\"{qr}\"\nA200,50,0,4,1,1,N,\"{title}\"\n\
             A200,120,0,2,1,1,N,\"{note}\"\nP1\n"
        }
        Language::Svg => {
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"50mm\" height=\"30mm\" \
             viewBox=\"0 0 50 30\">\n<svg x=\"1\" y=\"3\" width=\"24\" height=\"24\">{qr}</svg>\n\
             <text x=\"26\" y=\"13\" font-size=\"5\" font-family=\"sans-serif\">{title}</text>\n\
             <text x=\"26\" y=\"20\" font-size=\"2.6\" font-family=\"sans-serif\">{note}</text>\n</svg>\n"
        }
        Language::Text => "{title}\n{note}\n{qr}\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_a_card() {
        let said = Card {
            title: "p117".to_owned(),
            note: "line-1".to_owned(),
            code: "OP:p117".to_owned(),
        };
        for language in Language::ALL {
            let template = Template::read(text(*language), *language, Whose::Cards);
            assert!(template.is_ok(), "{language}: {template:?}");
            let bytes = card(*language, &said).unwrap();
            assert!(String::from_utf8(bytes).unwrap().contains("p117"), "{language}");
        }
    }
}
