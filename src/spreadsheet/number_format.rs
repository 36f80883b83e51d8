//! Number formats of cells: as what they show a number.

/// The kind of things as which a format shows a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFormat {
    Plain,
    Percent,
    Date,
}

impl NumberFormat {
    /// The format of a number that every file knows without writing it down.
    pub(super) fn built_in(id: u32) -> NumberFormat {
        match id {
            9 | 10 => NumberFormat::Percent,
            14..=22 | 27..=36 | 45..=47 | 50..=58 => NumberFormat::Date,
            _ => NumberFormat::Plain,
        }
    }

    /// Reads a format's code: `0.00%`, `dd/mm/yyyy`, `#,##0 "đồng"`.
    pub(super) fn of_code(code: &str) -> NumberFormat {
        let mut found = NumberFormat::Plain;
        let mut signs = code.chars();
        while let Some(sign) = signs.next() {
            match sign {
                '"' => drop(signs.by_ref().find(|sign| *sign == '"')),
                '\\' | '_' | '*' => drop(signs.next()),
                '[' => {
                    let held: String = signs.by_ref().take_while(|sign| *sign != ']').collect();
                    if is_elapsed_time(&held) {
                        return NumberFormat::Date;
                    }
                }
                '%' => found = NumberFormat::Percent,
                'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => {
                    return NumberFormat::Date;
                }
                _ => {}
            }
        }
        found
    }
}

/// `[h]`, `[mm]`; other brackets hold colours, languages and currencies.
fn is_elapsed_time(held: &str) -> bool {
    let mut signs = held.chars().map(|sign| sign.to_ascii_lowercase());
    match signs.next() {
        Some(first @ ('h' | 'm' | 's')) => signs.all(|sign| sign == first),
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_shows_percentages_dates_or_plain_numbers() {
        for (code, expected) in [
            ("General", NumberFormat::Plain),
            ("#,##0", NumberFormat::Plain),
            ("#,##0 \"đồng, mỗi ngày\"", NumberFormat::Plain),
            ("#,##0\\ \"d\";[Red]\\-#,##0\\ \\d", NumberFormat::Plain),
            ("_-* #,##0 _đ_-", NumberFormat::Plain),
            ("[$-42A]#,##0.00", NumberFormat::Plain),
            ("0.00%", NumberFormat::Percent),
            ("0\"%\"", NumberFormat::Plain),
            ("dd/mm/yyyy", NumberFormat::Date),
            ("[$-1042A]dd mmmm", NumberFormat::Date),
            ("[h]:mm", NumberFormat::Date),
            ("mm:ss.0", NumberFormat::Date),
        ] {
            assert_eq!(NumberFormat::of_code(code), expected, "{code}");
        }
        assert_eq!(NumberFormat::built_in(9), NumberFormat::Percent);
        assert_eq!(NumberFormat::built_in(14), NumberFormat::Date);
        assert_eq!(NumberFormat::built_in(3), NumberFormat::Plain);
    }
}
