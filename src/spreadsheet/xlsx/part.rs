//! Parts of a workbook's archive as streams of XML events, within limits: of the bytes of a part,
//! and of the bytes of one event, since an event is held in memory.

use std::io::{self, BufRead, BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use crate::spreadsheet::fault::{Limit, SpreadsheetFault};

/// A reader that gives no more bytes than it has left.
struct Metered<R> {
    inner: BufReader<R>,
    limit: Limit,
    part_left: usize,
    event_left: usize,
}

impl<R: Read> Metered<R> {
    fn new(inner: R, limit: Limit, most: usize) -> Metered<R> {
        Metered {
            inner: BufReader::with_capacity(1 << 16, inner),
            limit,
            part_left: most,
            event_left: Limit::Cell.most(),
        }
    }

    /// The limit that is reached, if one is.
    fn reached(&self) -> Option<Limit> {
        match (self.part_left, self.event_left) {
            (0, _) => Some(self.limit),
            (_, 0) => Some(Limit::Cell),
            _ => None,
        }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let most = self.part_left.min(self.event_left);
        if most == 0 {
            return Err(io::Error::other("a limit is reached"));
        }
        let bytes = self.inner.fill_buf()?;
        Ok(bytes.get(..most).unwrap_or(bytes))
    }

    fn consume(&mut self, amount: usize) {
        self.part_left = self.part_left.saturating_sub(amount);
        self.event_left = self.event_left.saturating_sub(amount);
        self.inner.consume(amount);
    }
}

/// A part of a workbook.
pub(super) struct Part<R> {
    xml: Reader<Metered<R>>,
    buffer: Vec<u8>,
    depth: usize,
}

/// How deep elements lie in each other at most. The names of those that are open are kept.
const MOST_DEPTH: usize = 100;

impl<R: Read> Part<R> {
    /// A part that may have as many bytes as the limit says.
    pub(super) fn new(inner: R, limit: Limit) -> Part<R> {
        Part::within(inner, limit, limit.most())
    }

    fn within(inner: R, limit: Limit, most: usize) -> Part<R> {
        let mut xml = Reader::from_reader(Metered::new(inner, limit, most));
        xml.config_mut().expand_empty_elements = true;
        Part {
            xml,
            buffer: Vec::new(),
            depth: 0,
        }
    }

    /// The next event; [`Event::Eof`] at the end.
    pub(super) fn next(&mut self) -> Result<Event<'_>, SpreadsheetFault> {
        self.buffer.clear();
        self.xml.get_mut().event_left = Limit::Cell.most();
        let event = self.xml.read_event_into(&mut self.buffer);
        let event = event.map_err(|_| match self.xml.get_ref().reached() {
            Some(limit) => SpreadsheetFault::TooLarge(limit),
            None => SpreadsheetFault::Unreadable,
        })?;
        match event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        match self.depth > MOST_DEPTH {
            true => Err(SpreadsheetFault::Unreadable),
            false => Ok(event),
        }
    }

    /// Goes through the elements that begin, to the end of the part or until `take` says stop.
    pub(super) fn for_each_start(
        &mut self,
        mut take: impl FnMut(&BytesStart<'_>) -> Result<(), SpreadsheetFault>,
    ) -> Result<(), SpreadsheetFault> {
        loop {
            match self.next()? {
                Event::Start(element) => take(&element)?,
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }
}

/// The value of an attribute by its local name: `id` finds `r:id`.
pub(super) fn attribute(
    element: &BytesStart<'_>,
    name: &str,
) -> Result<Option<String>, SpreadsheetFault> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| SpreadsheetFault::Unreadable)?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|_| SpreadsheetFault::Unreadable)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// The character of `&amp;` or `&#10;`.
pub(super) fn resolved(reference: &BytesRef<'_>) -> Result<char, SpreadsheetFault> {
    match reference.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => {
            let character = reference.resolve_char_ref();
            let character = character.map_err(|_| SpreadsheetFault::Unreadable)?;
            character.ok_or(SpreadsheetFault::Unreadable)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count_of(part: &[u8], most: usize) -> Result<usize, SpreadsheetFault> {
        let mut count = 0;
        Part::within(part, Limit::Unpacked, most).for_each_start(|_| {
            count += 1;
            Ok(())
        })?;
        Ok(count)
    }

    #[test]
    fn no_more_than_the_limit_is_read_of_a_part() {
        let part = format!("<a>{}</a>", "<b/>".repeat(100));
        assert_eq!(count_of(part.as_bytes(), part.len() + 1).unwrap(), 101);
        let beyond = count_of(part.as_bytes(), part.len() / 2);
        assert!(matches!(
            beyond,
            Err(SpreadsheetFault::TooLarge(Limit::Unpacked))
        ));
    }

    #[test]
    fn elements_do_not_lie_in_each_other_without_end() {
        let deep = count_of("<a>".repeat(10_000).as_bytes(), usize::MAX);
        assert!(matches!(deep, Err(SpreadsheetFault::Unreadable)));
    }

    #[test]
    fn no_more_than_the_limit_is_read_of_an_event() {
        let most = Limit::Cell.most();
        for part in [
            format!("<a>{}", "x".repeat(most)),
            format!("<a b=\"{}\">", "<>".repeat(most / 2)),
            format!("<a><!--{}-->", "<b>".repeat(most / 3)),
            format!("<a><![CDATA[{}]]>", "<b>".repeat(most / 3)),
        ] {
            assert!(matches!(
                count_of(part.as_bytes(), usize::MAX),
                Err(SpreadsheetFault::TooLarge(Limit::Cell))
            ));
        }
    }
}
