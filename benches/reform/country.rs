//! The country before and after its reform, as the three tables that `tonghop import` takes: the
//! real lists, or generated ones of the same shape and size.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;

use crate::Failure;

/// The number of units in the real lists.
const PROVINCES: (usize, usize) = (63, 34);
const TOWNS: usize = 696;
const COMMUNES: (usize, usize) = (10_035, 3_321);
/// One of this many communes is divided between two new ones, like 471 of the real ones.
const DIVIDED: usize = 21;

/// The lists before and after, and what became of each unit.
pub struct Country {
    pub before: String,
    pub after: String,
    pub mapping: String,
}

#[derive(Deserialize)]
struct Unit {
    code: String,
    level: String,
}

#[derive(Deserialize)]
struct Passing {
    new_code: String,
}

impl Country {
    /// The lists `units_2024.csv`, `units_2025.csv` and `mapping_2025.csv` of a directory.
    pub fn listed(directory: &Path) -> Result<Country, Failure> {
        let read = |name: &str| {
            let path = directory.join(name);
            std::fs::read_to_string(&path)
                .map_err(|error| Failure::from(format!("{}: {error}", path.display())))
        };
        Ok(Country {
            before: read("units_2024.csv")?.replace(",district,", ",town,"),
            after: read("units_2025.csv")?,
            mapping: read("mapping_2025.csv")?,
        })
    }

    /// A made country of one `part`-th of the real one's size.
    pub fn made(part: usize) -> Country {
        Making::of(part.max(1)).country()
    }

    pub fn communes(&self) -> Result<Vec<String>, Failure> {
        let units: Vec<Unit> = rows(&self.before)?;
        let communes = units.into_iter().filter(|unit| unit.level == "commune");
        Ok(communes.map(|unit| unit.code).collect())
    }

    /// The province that most provinces became part of, by the code that it had and has.
    pub fn largest_merger(&self) -> Result<String, Failure> {
        let units: Vec<Unit> = rows(&self.after)?;
        let provinces = units.iter().filter(|unit| unit.level == "province");
        let provinces: HashSet<&str> = provinces.map(|unit| unit.code.as_str()).collect();
        let passings: Vec<Passing> = rows(&self.mapping)?;
        let mut merged: BTreeMap<&str, usize> = BTreeMap::new();
        for passing in &passings {
            if provinces.contains(passing.new_code.as_str()) {
                *merged.entry(&passing.new_code).or_default() += 1;
            }
        }
        let largest = merged.into_iter().max_by_key(|(_, count)| *count);
        let (code, _) = largest.ok_or("no province is left after the reform")?;
        Ok(code.to_owned())
    }
}

fn rows<R: for<'d> Deserialize<'d>>(csv: &str) -> Result<Vec<R>, Failure> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    Ok(reader.deserialize().collect::<Result<Vec<R>, _>>()?)
}

/// A country being generated, its units by their number within the level.
struct Making {
    provinces: (usize, usize),
    towns: usize,
    communes: (usize, usize),
}

impl Making {
    fn of(part: usize) -> Making {
        let of = |whole: usize| (whole / part).max(2);
        Making {
            provinces: (of(PROVINCES.0), of(PROVINCES.1)),
            towns: of(TOWNS),
            communes: (of(COMMUNES.0), of(COMMUNES.1)),
        }
    }

    fn country(&self) -> Country {
        let mut before = "code,name,level,parent_code\n".to_owned();
        let mut after = before.clone();
        let mut mapping = "old_code,new_code\n".to_owned();
        for number in 0..self.provinces.0 {
            let code = province(number);
            before.push_str(&format!("{code},Province {number},province,\n"));
            let heir = province(self.heir_of_province(number));
            mapping.push_str(&format!("{code},{heir}\n"));
            if code == heir {
                after.push_str(&format!("{code},Province {number},province,\n"));
            }
        }
        for number in 0..self.towns {
            let above = province(self.province_of_town(number));
            before.push_str(&format!("{},Town {number},town,{above}\n", town(number)));
            mapping.push_str(&format!("{},\n", town(number)));
        }
        let heirs = self.heirs_of_communes();
        for (number, heir) in heirs.iter().enumerate() {
            let (code, above) = (commune(number), town(self.town_of(number)));
            before.push_str(&format!("{code},Commune {number},commune,{above}\n"));
            mapping.push_str(&format!("{code},{}\n", commune(heir.first)));
            if let Some(second) = heir.second {
                mapping.push_str(&format!("{code},{}\n", commune(second)));
            }
            if number == heir.first {
                let above = province(self.heir_of_province(self.province_of(number)));
                after.push_str(&format!("{code},Commune {number},commune,{above}\n"));
            }
        }
        Country {
            before,
            after,
            mapping,
        }
    }

    fn town_of(&self, commune: usize) -> usize {
        commune * self.towns / self.communes.0
    }

    fn province_of_town(&self, town: usize) -> usize {
        town * self.provinces.0 / self.towns
    }

    fn province_of(&self, commune: usize) -> usize {
        self.province_of_town(self.town_of(commune))
    }

    fn merged(&self, province: usize) -> usize {
        province * self.provinces.1 / self.provinces.0
    }

    /// Returns the first of the provinces that merge with this one.
    fn heir_of_province(&self, number: usize) -> usize {
        let alike = |other: &usize| self.merged(*other) == self.merged(number);
        (0..number).find(alike).unwrap_or(number)
    }

    /// Merges neighbouring communes within a new province, under the code of the first.
    fn heirs_of_communes(&self) -> Vec<HeirOfCommune> {
        let group = |number: usize| {
            let province = self.merged(self.province_of(number));
            (province, number * self.communes.1 / self.communes.0)
        };
        let mut first_of: HashMap<(usize, usize), usize> = HashMap::new();
        let mut groups = Vec::new();
        for number in 0..self.communes.0 {
            first_of.entry(group(number)).or_insert_with(|| {
                groups.push(group(number));
                number
            });
        }
        let next: HashMap<_, _> = groups.iter().zip(groups.iter().skip(1)).collect();
        let heir = |number: usize| {
            let own = group(number);
            let neighbour = next.get(&own).filter(|next| next.0 == own.0);
            let second = neighbour.and_then(|next| first_of.get(*next).copied());
            HeirOfCommune {
                first: first_of.get(&own).copied().unwrap_or(number),
                second: second.filter(|_| number.is_multiple_of(DIVIDED)),
            }
        };
        (0..self.communes.0).map(heir).collect()
    }
}

/// The communes that a commune passes to, by the number of the one whose code they keep.
struct HeirOfCommune {
    first: usize,
    second: Option<usize>,
}

fn province(number: usize) -> String {
    format!("{:02}", number + 1)
}

fn town(number: usize) -> String {
    format!("{:03}", number + 1)
}

fn commune(number: usize) -> String {
    format!("{:05}", number + 1)
}
