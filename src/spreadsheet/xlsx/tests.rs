//! Workbooks as programs write them, and as nobody should.

use std::io::{Cursor, Write};

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook as Writer};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::spreadsheet::cell::Content;

/// The parts of a small workbook, some of which a test writes otherwise.
struct Parts<'p> {
    sheet: &'p [u8],
    strings: &'p [u8],
    styles: &'p str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Parts {
            sheet: b"<worksheet><sheetData/></worksheet>",
            strings: b"<sst/>",
            styles: "<styleSheet/>",
        }
    }
}

impl Parts<'_> {
    fn packed(&self) -> Vec<u8> {
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let package = format!(
            r#"<Relationships><Relationship Id="a" Type="{office}/officeDocument" Target="/xl/workbook.xml"/></Relationships>"#
        );
        let related = format!(
            r#"<Relationships>
            <Relationship Id="a" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>
            <Relationship Id="b" Type="{office}/styles" Target="styles.xml"/>
            <Relationship Id="c" Type="{office}/sharedStrings" Target="sharedstrings.xml"/>
            </Relationships>"#
        );
        let workbook = r#"<workbook><sheets><sheet name="A &amp; B" r:id="a"/><sheet name="x" r:id="z"/></sheets></workbook>"#;
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, part) in [
            ("_rels/.rels", package.as_bytes()),
            ("xl/workbook.xml", workbook.as_bytes()),
            ("xl/_rels/workbook.xml.rels", related.as_bytes()),
            ("xl/worksheets/sheet1.xml", self.sheet),
            ("xl/styles.xml", self.styles.as_bytes()),
            ("xl/sharedStrings.xml", self.strings),
        ] {
            archive
                .start_file(name, SimpleFileOptions::default())
                .unwrap();
            archive.write_all(part).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn read(&self) -> Result<Vec<String>, SpreadsheetFault> {
        read(&self.packed())
    }
}

/// Reads the first sheet as `B7=…`.
fn read(file: &[u8]) -> Result<Vec<String>, SpreadsheetFault> {
    let mut workbook = Workbook::open(Cursor::new(file))?;
    let sheet = workbook.sheets()[0].clone();
    let mut rows = workbook.rows(&sheet)?;
    let mut told = Vec::new();
    while let Some(row) = rows.next_row()? {
        let cells = row.cells.iter().map(|cell| {
            format!(
                "{}{}={}",
                cell.column,
                row.number,
                told_content(&cell.content)
            )
        });
        told.extend(cells);
    }
    let merged = rows.merged().iter();
    told.extend(merged.map(|region| {
        let Region {
            first_row,
            last_row,
            first_column,
            last_column,
        } = region;
        format!("merged {first_column}{first_row}:{last_column}{last_row}")
    }));
    Ok(told)
}

fn told_content(content: &Content) -> String {
    match content {
        Content::Text(text) => format!("{text:?}"),
        Content::Date(serial) => format!("date {serial}"),
        Content::LongNumber(number) => format!("long {number}"),
        Content::Formula(None) => "formula".to_owned(),
        Content::Formula(Some(value)) => format!("formula {}", told_content(value)),
        Content::Number(_) | Content::Percent(_) | Content::Boolean(_) | Content::Error(_) => {
            content.shown()
        }
    }
}

#[test]
fn every_kind_of_cell_is_read_with_its_place() {
    let mut writer = Writer::new();
    let sheet = writer.add_worksheet();
    let percent = Format::new().set_num_format("0.00%");
    let date = Format::new().set_num_format("dd/mm/yyyy");
    let day = ExcelDateTime::from_ymd(2024, 5, 1).unwrap();
    sheet.write_string(0, 0, "Ấp Tân Hòa A").unwrap();
    sheet.write_string(0, 1, "e\u{302}\u{301} & <b>").unwrap();
    sheet.write_number(6, 1, 1_562_410_000.0).unwrap();
    sheet.write_number(6, 2, 93.64).unwrap();
    sheet.write_number(6, 3, 0.300_000_000_000_000_04).unwrap();
    sheet
        .write_number_with_format(7, 0, 0.9364, &percent)
        .unwrap();
    sheet.write_datetime_with_format(7, 1, day, &date).unwrap();
    sheet.write_boolean(7, 2, true).unwrap();
    sheet
        .write_formula(7, 3, Formula::new("=1+1").set_result("2"))
        .unwrap();
    sheet.write_blank(7, 26, &percent).unwrap();
    sheet.write_number(1_048_575, 16_383, 5).unwrap();
    sheet
        .merge_range(2, 0, 3, 1, "gộp", &Format::new())
        .unwrap();
    sheet.set_row_hidden(6).unwrap();
    writer
        .add_worksheet()
        .set_name("mã")
        .unwrap()
        .set_very_hidden(true);
    let file = writer.save_to_buffer().unwrap();
    assert_eq!(
        read(&file).unwrap(),
        [
            "A1=\"Ấp Tân Hòa A\"",
            "B1=\"ế & <b>\"",
            "A3=\"gộp\"",
            "B7=1562410000",
            "C7=93.64",
            "D7=0.3",
            "A8=93.64%",
            "B8=date 45413",
            "C8=TRUE",
            "D8=formula 2",
            "XFD1048576=5",
            "merged A3:B4",
        ]
    );
    let workbook = Workbook::open(Cursor::new(&file)).unwrap();
    let sheets = workbook.sheets().iter();
    let sheets: Vec<_> = sheets
        .map(|one| (one.name.as_str(), one.visibility))
        .collect();
    assert_eq!(
        sheets,
        [
            ("Sheet1", SheetVisibility::Shown),
            ("mã", SheetVisibility::Hidden)
        ]
    );
}

#[test]
fn cells_of_other_programs_are_read() {
    let parts = Parts {
        sheet: br#"<x:worksheet xmlns:x="x"><x:dimension ref="A1:XFD1048576"/><x:sheetData>
            <x:row><x:c><x:v>1</x:v></x:c><x:c t="s"><x:v>1</x:v></x:c><x:c r="E1" t="s"><x:v>2</x:v></x:c></x:row>
            <x:row r="5" hidden="1"><x:c r="A5" t="inlineStr"><x:is><x:r><x:t>a</x:t></x:r><x:r><x:t>&#7871;</x:t></x:r></x:is></x:c>
            <x:c r="B5" t="e"><x:v>#REF!</x:v></x:c><x:c r="C5"><x:f>1/A1</x:f></x:c>
            <x:c r="D5" t="str"><x:f>"x"</x:f><x:v>x&amp;y</x:v></x:c><x:c r="E5"><x:v>12345678901234567</x:v></x:c>
            <x:c r="F5" s="1"><x:v>45413</x:v></x:c><x:c r="G5" s="2"><x:v>0.5</x:v></x:c><x:c r="H5" t="s"><x:v>0</x:v></x:c></x:row>
            </x:sheetData></x:worksheet>"#,
        strings: "<sst uniqueCount=\"99999999999999\"><si/><si><t>b</t><rPh><t>phonetic</t></rPh></si><si><r><t>c</t></r><r><t xml:space=\"preserve\"> d</t></r></si></sst>".as_bytes(),
        styles: r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm"/></numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs>
            <cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="9"/></cellXfs></styleSheet>"#,
    };
    assert_eq!(
        parts.read().unwrap(),
        [
            "A1=1",
            "B1=\"b\"",
            "E1=\"c d\"",
            "A5=\"aế\"",
            "B5=#REF!",
            "C5=formula",
            "D5=formula \"x&y\"",
            "E5=long 12345678901234600",
            "F5=date 45413",
            "G5=50%",
        ]
    );
}

#[test]
fn what_is_no_workbook_is_told_with_what_to_do() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .start_file("content.xml", SimpleFileOptions::default())
        .unwrap();
    let open_document = archive.finish().unwrap().into_inner();
    let cases: [(&[u8], &str); 5] = [
        (b"", "the file is no spreadsheet, or damaged"),
        (
            b"unit,indicator\n1,2",
            "the file is no spreadsheet, or damaged",
        ),
        (b"PK\x03\x04", "the file is no spreadsheet, or damaged"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "the file is in the format of before 2007, or has a password",
        ),
        (&open_document, "the file is an OpenDocument spreadsheet"),
    ];
    for (file, told) in cases {
        assert_eq!(read(file).unwrap_err().to_string(), told);
    }
    for sheet in [
        "<worksheet><sheetData><row><c t=\"s\"><v>7</v></c></row></sheetData></worksheet>",
        "<worksheet><sheetData><row><c><v>x</v></c></row></sheetData></worksheet>",
        "<worksheet><sheetData><row><c><v>1</v>",
        "<worksheet><sheetData><row r=\"x\"/></sheetData></worksheet>",
        "<worksheet><sheetData><row><c t=\"inlineStr\"><is><t>&unknown;</t></is></c></row></sheetData></worksheet>",
    ] {
        let parts = Parts {
            sheet: sheet.as_bytes(),
            ..Parts::default()
        };
        assert!(
            matches!(parts.read(), Err(SpreadsheetFault::Unreadable)),
            "{sheet}"
        );
    }
}

#[test]
fn a_cell_beyond_every_limit_is_refused() {
    let limit_of = |parts: &Parts<'_>| match parts.read() {
        Err(SpreadsheetFault::TooLarge(limit)) => limit,
        other => panic!("{other:?}"),
    };
    let sheet = |cells: &str| format!("<worksheet><sheetData>{cells}</sheetData></worksheet>");

    let long = sheet(&format!(
        "<row><c t=\"inlineStr\"><is><t>{}</t></is></c></row>",
        "x".repeat(Limit::Cell.most())
    ));
    let sheet_of = |sheet: &str| {
        limit_of(&Parts {
            sheet: sheet.as_bytes(),
            ..Parts::default()
        })
    };
    assert_eq!(sheet_of(&long), Limit::Cell);

    let comment = sheet(&format!("<!--{}-->", "<x>".repeat(Limit::Cell.most() / 3)));
    assert_eq!(sheet_of(&comment), Limit::Cell);

    let far = sheet("<row r=\"1\"><c r=\"XFE1\"><v>1</v></c></row>");
    assert_eq!(sheet_of(&far), Limit::Columns);

    let wide = sheet(&format!("<row>{}</row>", "<c/>".repeat(16_385)));
    assert_eq!(sheet_of(&wide), Limit::Columns);
}

#[test]
fn formatted_rows_without_content_are_passed_over() {
    let rows = "<row><c s=\"1\"/><c s=\"1\"/></row>".repeat(200_000);
    let sheet =
        format!("<worksheet><sheetData>{rows}<row><c><v>5</v></c></row></sheetData></worksheet>");
    let parts = Parts {
        sheet: sheet.as_bytes(),
        ..Parts::default()
    };
    assert_eq!(parts.read().unwrap(), ["A200001=5"]);
}
