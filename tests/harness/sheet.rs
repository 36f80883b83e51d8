//! A sheet in the hands of a clerk. Never an assertion about the product.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The part of a workbook that holds its first sheet.
const FIRST: &str = "xl/worksheets/sheet1.xml";

/// Writes into cells of the first sheet (`("I39", "186.850.000")`) and leaves everything else as it is.
/// What is digits alone becomes a number, as it does in a spreadsheet program.
pub fn filled(file: &[u8], cells: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(file)).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut content = Vec::new();
        part.read_to_end(&mut content).unwrap();
        if name == FIRST {
            let sheet = String::from_utf8(content).unwrap();
            content = cells.iter().fold(sheet, write_cell).into_bytes();
        }
        writer
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(&content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Puts a text where a cell is, in its format.
fn write_cell(mut sheet: String, (place, text): &(&str, &str)) -> String {
    let start = sheet.find(&format!("<c r=\"{place}\"")).expect(place);
    let (tag, _) = sheet[start..].split_once('>').unwrap();
    let length = match tag.ends_with('/') {
        true => tag.len() + 1,
        false => sheet[start..].find("</c>").unwrap() + "</c>".len(),
    };
    let (_, format) = tag.split_once(" s=\"").unwrap();
    let (format, _) = format.split_once('"').unwrap();
    let cell = match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("<c r=\"{place}\" s=\"{format}\"><v>{text}</v></c>"),
        false => {
            format!("<c r=\"{place}\" s=\"{format}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
        }
    };
    sheet.replace_range(start..start + length, &cell);
    sheet
}
