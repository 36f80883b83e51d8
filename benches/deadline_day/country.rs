//! The country: its units as lists to import, generated or read, and its hamlets.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::Deserialize;

use crate::Failure;
use crate::report::with_commas;

/// The code that the import gives the unit above all provinces.
pub const ROOT: &str = "VN";

/// The sizes of the whole country at the end of 2024; hamlets as the statistics office counts them.
const PROVINCES: usize = 63;
const TOWNS: usize = 696;
const COMMUNES: usize = 10_035;
const HAMLETS: usize = 90_508;

/// At least two, so that a figure in the wrong province is noticed.
const FEWEST_PROVINCES: usize = 2;

/// The same order in every run.
const SEED: u64 = 2024;

/// A line of a list of units.
#[derive(Debug, Clone, Deserialize)]
struct Line {
    code: String,
    name: String,
    level: String,
    parent_code: String,
}

impl Line {
    fn new(code: String, level: &str, parent_code: String) -> Line {
        Line {
            name: format!("Đơn vị {code}"),
            code,
            level: level.to_owned(),
            parent_code,
        }
    }
}

/// A country to report in.
pub struct Country {
    /// Codes, as are `towns` and `communes`.
    pub provinces: Vec<String>,
    /// The units right above communes.
    pub towns: Vec<String>,
    pub communes: Vec<String>,
    pub hamlets: Vec<Hamlet>,
    upper: Vec<Line>,
    lower: Vec<Line>,
}

/// A unit that submits.
pub struct Hamlet {
    pub code: String,
    /// Its place among the provinces, and among the towns.
    pub province: usize,
    pub town: usize,
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} provinces, {} towns, {} communes, {} hamlets",
            with_commas(self.provinces.len()),
            with_commas(self.towns.len()),
            with_commas(self.communes.len()),
            with_commas(self.hamlets.len())
        )
    }
}

impl Country {
    /// Makes a country of this many hamlets, spread evenly over the communes of a list or of a
    /// generated one.
    pub fn new(hamlets: usize, list: Option<&Path>) -> Result<Country, Failure> {
        let lines = match list {
            Some(path) => read(path).map_err(|error| format!("{}: {error}", path.display()))?,
            None => made(hamlets),
        };
        Country::of(lines, hamlets)
    }

    fn of(lines: Vec<Line>, hamlets: usize) -> Result<Country, Failure> {
        let (mut lower, upper): (Vec<Line>, Vec<Line>) =
            lines.into_iter().partition(|line| line.level == "commune");
        if lower.is_empty() {
            return Err("the list has no unit of the level commune".into());
        }
        let parents: HashMap<&str, &str> = upper
            .iter()
            .map(|line| (line.code.as_str(), line.parent_code.as_str()))
            .collect();
        let mut provinces = Places::default();
        let mut towns = Places::default();
        let places: Vec<(usize, usize)> = lower
            .iter()
            .map(|commune| {
                let mut top = commune.parent_code.as_str();
                while let Some(parent) = parents.get(top).filter(|parent| !parent.is_empty()) {
                    top = parent;
                }
                (
                    provinces.place_of(top),
                    towns.place_of(&commune.parent_code),
                )
            })
            .collect();
        let communes: Vec<String> = lower.iter().map(|line| line.code.clone()).collect();
        let mut submitting = Vec::with_capacity(hamlets);
        for index in 0..hamlets {
            let at = index * communes.len() / hamlets;
            if let (Some(commune), Some((province, town))) = (communes.get(at), places.get(at)) {
                let code = format!("{commune}-{index}");
                lower.push(Line::new(code.clone(), "hamlet", commune.clone()));
                submitting.push(Hamlet {
                    code,
                    province: *province,
                    town: *town,
                });
            }
        }
        Ok(Country {
            provinces: provinces.codes,
            towns: towns.codes,
            communes,
            hamlets: submitting,
            upper,
            lower,
        })
    }

    /// Returns the hamlets in an order unrelated to the map.
    pub fn shuffled(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.hamlets.len()).collect();
        order.shuffle(&mut StdRng::seed_from_u64(SEED));
        order
    }

    /// Every unit's code with that of the unit above it.
    pub fn placements(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.upper.iter().chain(&self.lower);
        lines.map(|line| match line.parent_code.as_str() {
            "" => (line.code.as_str(), ROOT),
            parent => (line.code.as_str(), parent),
        })
    }

    /// The list of provinces and towns, to import first.
    pub fn upper_list(&self) -> String {
        list_of(&self.upper)
    }

    /// The list of communes and hamlets.
    pub fn lower_list(&self) -> String {
        list_of(&self.lower)
    }
}

/// Codes in the order of their first appearance.
#[derive(Default)]
struct Places {
    codes: Vec<String>,
    places: HashMap<String, usize>,
}

impl Places {
    fn place_of(&mut self, code: &str) -> usize {
        if let Some(place) = self.places.get(code) {
            return *place;
        }
        let place = self.codes.len();
        self.codes.push(code.to_owned());
        self.places.insert(code.to_owned(), place);
        place
    }
}

fn read(path: &Path) -> Result<Vec<Line>, csv::Error> {
    let mut lines: Vec<Line> = csv::Reader::from_path(path)?
        .deserialize()
        .collect::<Result<_, _>>()?;
    // Official lists name the tenant's town level differently.
    for line in lines.iter_mut().filter(|line| line.level == "district") {
        line.level = "town".to_owned();
    }
    Ok(lines)
}

fn list_of(lines: &[Line]) -> String {
    let mut list = "code,name,level,parent_code\n".to_owned();
    for line in lines {
        let quoted = line.name.replace('"', "\"\"");
        list.push_str(&format!(
            "{},\"{quoted}\",{},{}\n",
            line.code, line.level, line.parent_code
        ));
    }
    list
}

/// Generates the levels above the hamlets, in the proportions of the whole country.
fn made(hamlets: usize) -> Vec<Line> {
    let scaled = |count: usize| (count * hamlets).div_ceil(HAMLETS).max(1);
    let provinces = scaled(PROVINCES).max(FEWEST_PROVINCES);
    let towns = scaled(TOWNS).max(provinces);
    let communes = scaled(COMMUNES).max(towns);
    let province = |index: usize| format!("P{index:02}");
    let town = |index: usize| format!("T{index:03}");
    let mut lines = Vec::new();
    lines.extend((0..provinces).map(|index| Line::new(province(index), "province", String::new())));
    lines.extend((0..towns).map(|index| {
        let parent = province(index * provinces / towns);
        Line::new(town(index), "town", parent)
    }));
    lines.extend((0..communes).map(|index| {
        let parent = town(index * towns / communes);
        Line::new(format!("C{index:05}"), "commune", parent)
    }));
    lines
}
