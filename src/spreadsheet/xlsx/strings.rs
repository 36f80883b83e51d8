//! The texts that the cells of a workbook share.

use std::io::Read;

use quick_xml::events::Event;

use super::part::{Part, resolved};
use crate::spreadsheet::fault::SpreadsheetFault;

/// The shared texts, in one text with their ends: a file may have millions of them.
#[derive(Default)]
pub(super) struct SharedStrings {
    all: String,
    ends: Vec<u32>,
}

impl SharedStrings {
    pub(super) fn read<R: Read>(part: &mut Part<R>) -> Result<SharedStrings, SpreadsheetFault> {
        let mut strings = SharedStrings::default();
        let mut text = TextReader::default();
        loop {
            let event = part.next()?;
            if matches!(event, Event::Eof) {
                return Ok(strings);
            }
            if text.pass(&event, &mut strings.all)? {
                let end = u32::try_from(strings.all.len());
                strings
                    .ends
                    .push(end.map_err(|_| SpreadsheetFault::Unreadable)?);
            }
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let before = index.checked_sub(1);
        let start = before.map_or(Some(0), |before| self.ends.get(before).copied())?;
        let end = self.ends.get(index).copied()?;
        let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
        self.all.get(range)
    }
}

/// Takes the texts of `<si>` and `<is>` out of their events: plain ones and ones of many runs, without
/// the readings of East Asian texts.
#[derive(Default)]
pub(super) struct TextReader {
    is_in_text: bool,
    is_in_reading: bool,
}

impl TextReader {
    /// Adds what an event has of the text. Tells whether the text is at its end.
    pub(super) fn pass(
        &mut self,
        event: &Event<'_>,
        text: &mut String,
    ) -> Result<bool, SpreadsheetFault> {
        match event {
            Event::Start(element) => match element.local_name().as_ref() {
                "t" => self.is_in_text = true,
                "rPh" => self.is_in_reading = true,
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                "t" => self.is_in_text = false,
                "rPh" => self.is_in_reading = false,
                "si" | "is" => return Ok(true),
                _ => {}
            },
            Event::Text(part) if self.is_read() => text.push_str(&part.xml10_content()),
            Event::CData(part) if self.is_read() => text.push_str(&part.xml10_content()),
            Event::GeneralRef(part) if self.is_read() => text.push(resolved(part)?),
            _ => {}
        }
        Ok(false)
    }

    fn is_read(&self) -> bool {
        self.is_in_text && !self.is_in_reading
    }
}
