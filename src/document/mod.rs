//! Documents for people, made from the views of reports: CSV and XLSX. Holds layout and headings;
//! never reads the database, and never decides who may see what.

pub mod table;
