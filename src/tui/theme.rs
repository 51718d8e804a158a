//! Colours, by what they mean. Every meaning has a shape and a word besides its colour.

use ratatui::style::{Color, Modifier, Style};

/// A set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThemeName {
    /// None at all: bold, dim and reversed alone.
    Plain,
    /// The sixteen that every terminal has.
    Sixteen,
    /// 24 bits.
    TrueColor,
    /// Black, white and the brightest of the sixteen.
    HighContrast,
}

impl ThemeName {
    /// What a terminal shows, by its environment: `NO_COLOR` and `COLORTERM`.
    pub fn of(colors: bool, colorterm: Option<&str>) -> ThemeName {
        match (colors, colorterm) {
            (false, _) => ThemeName::Plain,
            (true, Some("truecolor" | "24bit")) => ThemeName::TrueColor,
            (true, _) => ThemeName::Sixteen,
        }
    }

    /// The next one, as the key goes through them.
    pub(super) const fn next(self) -> ThemeName {
        match self {
            ThemeName::Plain => ThemeName::Sixteen,
            ThemeName::Sixteen => ThemeName::TrueColor,
            ThemeName::TrueColor => ThemeName::HighContrast,
            ThemeName::HighContrast => ThemeName::Plain,
        }
    }
}

/// What something means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Role {
    /// Ordinary text.
    Text,
    /// Text that matters less.
    Dim,
    /// Text that matters more.
    Strong,
    /// The bar at the top, and the names of slots.
    Bar,
    /// The name of the slot that the keys are about.
    Focus,
    /// PASS.
    Pass,
    /// FAIL.
    Fail,
    /// HOLD.
    Hold,
    /// Units that must be kept: a field of the colour of HOLD.
    Keep,
    /// A verdict that was seen and whose device has left.
    Stale,
    /// What a chart draws, and the mark of what is chosen.
    Accent,
    /// A unit is being worked on.
    Busy,
    /// Well.
    Green,
    /// Look at it.
    Amber,
    /// The line stands, or soon will.
    Red,
    /// A key in the footer.
    Key,
    /// What is being typed.
    Field,
    /// A refusal or a warning that was not seen yet.
    Notice,
}

/// The colours of one theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Theme(ThemeName);

impl Theme {
    pub(super) const fn new(name: ThemeName) -> Self {
        Self(name)
    }

    /// How something with this meaning looks.
    pub(super) fn style(self, role: Role) -> Style {
        match self.0 {
            ThemeName::Plain => plain(role),
            ThemeName::Sixteen => sixteen(role),
            ThemeName::TrueColor => true_color(role),
            ThemeName::HighContrast => high_contrast(role),
        }
    }
}

fn plain(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text | Role::Accent | Role::Busy | Role::Green | Role::Field => style,
        Role::Dim | Role::Stale => style.add_modifier(Modifier::DIM),
        Role::Strong | Role::Pass | Role::Key | Role::Amber => style.add_modifier(Modifier::BOLD),
        Role::Bar => style.add_modifier(Modifier::REVERSED),
        Role::Focus => style.add_modifier(Modifier::REVERSED.union(Modifier::BOLD)),
        Role::Fail | Role::Hold | Role::Keep | Role::Red | Role::Notice => {
            style.add_modifier(Modifier::BOLD.union(Modifier::REVERSED))
        }
    }
}

fn on(fg: Color, bg: Color) -> Style {
    Style::new().fg(fg).bg(bg)
}

fn sixteen(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text | Role::Field => style,
        Role::Dim | Role::Stale => style.fg(Color::DarkGray),
        Role::Strong => style.add_modifier(Modifier::BOLD),
        Role::Bar => on(Color::White, Color::Blue),
        Role::Focus => on(Color::Black, Color::Cyan).add_modifier(Modifier::BOLD),
        Role::Pass => style.fg(Color::Green).add_modifier(Modifier::BOLD),
        Role::Fail => style.fg(Color::Red).add_modifier(Modifier::BOLD),
        Role::Hold => style.fg(Color::Yellow).add_modifier(Modifier::BOLD),
        Role::Accent | Role::Busy => style.fg(Color::Cyan),
        Role::Green => style.fg(Color::Green),
        Role::Amber => style.fg(Color::Yellow),
        Role::Red => style.fg(Color::Red).add_modifier(Modifier::BOLD),
        Role::Key => style.fg(Color::Cyan),
        Role::Keep => on(Color::Black, Color::Yellow).add_modifier(Modifier::BOLD),
        Role::Notice => on(Color::Black, Color::Yellow),
    }
}

fn true_color(role: Role) -> Style {
    const fn rgb(code: u32) -> Color {
        let [_, r, g, b] = code.to_be_bytes();
        Color::Rgb(r, g, b)
    }
    let style = Style::new();
    match role {
        Role::Text | Role::Field => style,
        Role::Dim => style.fg(rgb(0x88_90_98)),
        Role::Stale => style.fg(rgb(0x6c_74_7c)),
        Role::Strong => style.add_modifier(Modifier::BOLD),
        Role::Bar => on(rgb(0xe6_ea_ee), rgb(0x2b_3a_4a)),
        Role::Focus => on(rgb(0x10_18_20), rgb(0x6c_b6_ff)).add_modifier(Modifier::BOLD),
        Role::Pass => style.fg(rgb(0x3f_d0_6c)).add_modifier(Modifier::BOLD),
        Role::Fail => style.fg(rgb(0xff_55_55)).add_modifier(Modifier::BOLD),
        Role::Hold => style.fg(rgb(0xff_b0_30)).add_modifier(Modifier::BOLD),
        Role::Accent | Role::Busy => style.fg(rgb(0x6c_b6_ff)),
        Role::Green => style.fg(rgb(0x3f_d0_6c)),
        Role::Amber => style.fg(rgb(0xff_b0_30)),
        Role::Red => style.fg(rgb(0xff_55_55)).add_modifier(Modifier::BOLD),
        Role::Key => style.fg(rgb(0x6c_b6_ff)),
        Role::Keep => on(rgb(0x20_18_00), rgb(0xff_b0_30)).add_modifier(Modifier::BOLD),
        Role::Notice => on(rgb(0x20_18_00), rgb(0xff_b0_30)),
    }
}

fn high_contrast(role: Role) -> Style {
    let base = on(Color::White, Color::Black).add_modifier(Modifier::BOLD);
    match role {
        Role::Text | Role::Dim | Role::Strong | Role::Field => base,
        Role::Stale => on(Color::Gray, Color::Black),
        Role::Bar => on(Color::Black, Color::White).add_modifier(Modifier::BOLD),
        Role::Focus => on(Color::Black, Color::LightYellow).add_modifier(Modifier::BOLD),
        Role::Pass | Role::Green => base.fg(Color::LightGreen),
        Role::Fail | Role::Red => base.fg(Color::LightRed),
        Role::Hold | Role::Amber => base.fg(Color::LightYellow),
        Role::Accent | Role::Busy | Role::Key => base.fg(Color::LightCyan),
        Role::Keep | Role::Notice => {
            on(Color::Black, Color::LightYellow).add_modifier(Modifier::BOLD)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_chooses_the_theme() {
        assert_eq!(ThemeName::of(false, Some("truecolor")), ThemeName::Plain);
        assert_eq!(ThemeName::of(true, Some("truecolor")), ThemeName::TrueColor);
        assert_eq!(ThemeName::of(true, None), ThemeName::Sixteen);
    }

    #[test]
    fn without_colours_there_are_none() {
        for role in [Role::Pass, Role::Fail, Role::Hold, Role::Bar, Role::Notice, Role::Stale] {
            let style = Theme::new(ThemeName::Plain).style(role);
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
