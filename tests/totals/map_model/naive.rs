//! The naive model of a map that changes: what every unit's report must show, worked out the slow
//! way from dated facts, from what passed to whom, and from what counts. It shares no code with the
//! product, on purpose.
//!
//! A submission is followed twice ([`Fate`]). First to the map of its month's last day: through
//! every change that was written down after it was given, in the order of writing, and giving way
//! where a successor submits itself. What is then at one place is one report. Then to the map that
//! is looked at: through everything that is dated between the two.

use std::collections::{BTreeMap, BTreeSet};

use num_rational::Ratio;

/// In the manner of `2025-03-01`, so that days are in order.
pub type Day = &'static str;
/// A unit's place in [`Model::ids`].
pub type Unit = usize;
/// A part of a divided unit: so many of so many.
pub type Share = (i128, i128);
type Fraction = Ratio<i128>;

/// The levels, the highest first. All but the first submit.
pub const LEVELS: [&str; 4] = ["province", "town", "commune", "hamlet"];

/// How each indicator goes across units and across time.
pub const PAIRS: [(&str, &str); 12] = [
    ("sum", "sum"),
    ("sum", "last"),
    ("sum", "first"),
    ("sum", "average"),
    ("max", "max"),
    ("max", "sum"),
    ("min", "sum"),
    ("average", "average"),
    ("average", "last"),
    ("count", "count"),
    ("none", "last"),
    ("transfer", "sum"),
];

/// Some months of a period's: those that are reported on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub key: &'static str,
    pub last_day: Day,
    /// Places in [`MONTHS`] of the first month that is reported on and after the last.
    months: (usize, usize),
    /// How many months nobody reports on, by the day that the first of them ends.
    silent: &'static [Day],
}

const fn month(key: &'static str, last_day: Day, at: usize) -> Period {
    let months = (at, at + 1);
    let silent = &[];
    Period {
        key,
        last_day,
        months,
        silent,
    }
}

const fn longer(
    key: &'static str,
    last_day: Day,
    months: (usize, usize),
    silent: &'static [Day],
) -> Period {
    Period {
        key,
        last_day,
        months,
        silent,
    }
}

/// The months that are reported on.
pub const MONTHS: [Period; 6] = [
    month("2024-11", "2024-11-30", 0),
    month("2024-12", "2024-12-31", 1),
    month("2025-01", "2025-01-31", 2),
    month("2025-02", "2025-02-28", 3),
    month("2025-03", "2025-03-31", 4),
    month("2025-05", "2025-05-31", 5),
];

/// What they make.
pub const LONGER: [Period; 5] = [
    longer("2024-Q4", "2024-12-31", (0, 2), &["2024-10-31"]),
    longer("2025-Q1", "2025-03-31", (2, 5), &[]),
    longer(
        "2025-Q2",
        "2025-06-30",
        (5, 6),
        &["2025-04-30", "2025-06-30"],
    ),
    longer(
        "2025-H1",
        "2025-06-30",
        (2, 6),
        &["2025-04-30", "2025-06-30"],
    ),
    longer(
        "2025",
        "2025-12-31",
        (2, 6),
        &[
            "2025-04-30",
            "2025-06-30",
            "2025-07-31",
            "2025-08-31",
            "2025-09-30",
            "2025-10-31",
            "2025-11-30",
            "2025-12-31",
        ],
    ),
];

impl Period {
    fn months(&self) -> std::ops::Range<usize> {
        self.months.0..self.months.1
    }

    fn is_long(&self) -> bool {
        !MONTHS.contains(self)
    }

    /// The last days of all its months.
    fn last_days(&self) -> impl Iterator<Item = Day> {
        let reported = self.months().map(|month| MONTHS[month].last_day);
        reported.chain(self.silent.iter().copied())
    }
}

/// What a unit is, for some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub code: String,
    pub name: String,
    pub kind: Option<String>,
    /// A place in [`LEVELS`].
    pub level: usize,
    pub parent: Option<Unit>,
}

#[derive(Debug, Clone)]
struct Fact {
    from: Day,
    /// The first day on which it does not hold any more.
    until: Option<Day>,
    state: State,
}

/// What became of a unit.
#[derive(Debug, Clone)]
pub struct Passing {
    pub from: Unit,
    pub heirs: Vec<(Unit, Option<Share>)>,
    /// What passes in one document passes at once, but for what a later turn passes on.
    pub turn: usize,
}

/// All that passed in one document.
#[derive(Debug, Clone)]
struct Document {
    effective: Day,
    rev: i64,
    passings: Vec<Passing>,
}

/// Everything that is known of units.
#[derive(Debug, Clone, Default)]
pub struct Map {
    facts: BTreeMap<Unit, Vec<Fact>>,
    documents: Vec<Document>,
}

impl Map {
    pub fn begin(&mut self, unit: Unit, state: State) {
        let fact = Fact {
            from: "2000-01-01",
            until: None,
            state,
        };
        self.facts.insert(unit, vec![fact]);
    }

    /// Writes down what a document came to: what units are from its day on, and what passed.
    pub fn change(&mut self, effective: Day, rev: i64, after: &Tree, passings: Vec<Passing>) {
        let before = self.tree(effective);
        let all: BTreeSet<Unit> = before.0.keys().chain(after.0.keys()).copied().collect();
        for unit in all {
            if before.0.get(&unit) == after.0.get(&unit) {
                continue;
            }
            let facts = self.facts.entry(unit).or_default();
            facts.retain(|fact| fact.from < effective);
            if let Some(last) = facts.last_mut().filter(|_| before.0.contains_key(&unit)) {
                last.until = Some(effective);
            }
            if let Some(state) = after.0.get(&unit) {
                let state = state.clone();
                facts.push(Fact {
                    from: effective,
                    until: None,
                    state,
                });
            }
        }
        self.documents.push(Document {
            effective,
            rev,
            passings,
        });
    }

    pub fn tree(&self, day: Day) -> Tree {
        let standing = self.facts.iter().filter_map(|(unit, facts)| {
            let holds =
                |fact: &&Fact| fact.from <= day && fact.until.is_none_or(|until| day < until);
            Some((*unit, facts.iter().find(holds)?.state.clone()))
        });
        Tree(standing.collect())
    }

    /// Whether anything is dated on a day or later.
    pub fn changes_since(&self, day: Day) -> bool {
        self.last_day().is_some_and(|last| last >= day)
    }

    /// The first day of the last map.
    pub fn last_day(&self) -> Option<Day> {
        self.documents
            .iter()
            .map(|document| document.effective)
            .max()
    }

    /// Where a unit's lie on a tree that it does not stand on: where its parent's do.
    fn above(&self, unit: Unit, tree: &Tree, day: Day) -> Option<Unit> {
        let ended = self
            .facts
            .get(&unit)?
            .iter()
            .rfind(|fact| fact.until.is_some_and(|until| until <= day))?;
        let mut fate = Fate::of(ended.state.parent?);
        let until = ended.until?;
        self.follow(&mut fate, |effective| {
            until <= effective && effective <= day
        });
        self.under(&fate, tree, day)
    }

    /// Takes what a unit had through everything of some days.
    fn follow(&self, fate: &mut Fate, is_between: impl Fn(Day) -> bool) {
        let documents = self.documents.iter();
        let between = documents.filter(|document| is_between(document.effective));
        let mut between: Vec<&Document> = between.collect();
        between.sort_by_key(|document| (document.effective, document.rev));
        for document in between {
            fate.pass(document);
        }
    }

    /// The unit that has all of it at or below it.
    fn under(&self, fate: &Fate, tree: &Tree, day: Day) -> Option<Unit> {
        if let Some(unit) = fate.whole_at(tree) {
            return Some(unit);
        }
        if fate.parts.is_empty() {
            return self.above(fate.unit, tree, day);
        }
        let parts = fate
            .parts
            .iter()
            .map(|(_, part)| self.under(part, tree, day));
        let parts = parts.collect::<Option<Vec<Unit>>>()?;
        let mut above = tree.path(parts[0]).into_iter();
        above.find(|above| parts.iter().all(|part| tree.path(*part).contains(above)))
    }

    /// Where all of it is that is not divided.
    fn place(&self, fate: &Fate, tree: &Tree, day: Day) -> Place {
        match fate.whole_at(tree) {
            Some(unit) => Place::Unit(unit),
            None => Place::Leaf(fate.unit, self.under(fate, tree, day)),
        }
    }
}

/// The units of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<Unit, State>);

impl Tree {
    pub fn stands(&self, unit: Unit) -> bool {
        self.0.contains_key(&unit)
    }

    pub fn children(&self, unit: Unit) -> Vec<Unit> {
        let all = self.0.iter();
        let children = all.filter(|(_, state)| state.parent == Some(unit));
        children.map(|(child, _)| *child).collect()
    }

    /// The unit, its parent and so on.
    pub fn path(&self, unit: Unit) -> Vec<Unit> {
        std::iter::successors(Some(unit), |unit| self.0[unit].parent).collect()
    }
}

/// Where figures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Unit(Unit),
    /// What is left of a unit, under another.
    Leaf(Unit, Option<Unit>),
}

/// What became of what a unit had.
#[derive(Debug, Clone)]
struct Fate {
    /// Who has it, or was divided.
    unit: Unit,
    /// Whether that is still who submitted it, and it was never anybody else's.
    is_own: bool,
    /// Whether a submission of that unit's own took its place.
    is_replaced: bool,
    parts: Vec<(Option<Share>, Fate)>,
}

impl Fate {
    fn of(unit: Unit) -> Fate {
        Fate {
            unit,
            is_own: true,
            is_replaced: false,
            parts: Vec::new(),
        }
    }

    fn pass(&mut self, document: &Document) {
        let turns = document.passings.iter().map(|passing| passing.turn);
        for turn in 0..=turns.max().unwrap_or(0) {
            let passings = document.passings.iter();
            self.pass_once(
                &passings
                    .filter(|passing| passing.turn == turn)
                    .collect::<Vec<_>>(),
            );
        }
    }

    fn pass_once(&mut self, passings: &[&Passing]) {
        for (_, part) in &mut self.parts {
            part.pass_once(passings);
        }
        let passing = passings.iter().find(|passing| passing.from == self.unit);
        match passing
            .filter(|_| self.parts.is_empty())
            .map(|passing| passing.heirs.as_slice())
        {
            None => {}
            Some([(heir, _)]) => {
                self.is_own &= self.unit == *heir;
                self.unit = *heir;
            }
            Some(heirs) => {
                let parts = heirs.iter().map(|(heir, share)| {
                    let part = Fate {
                        is_replaced: self.is_replaced,
                        is_own: self.is_own && self.unit == *heir,
                        ..Fate::of(*heir)
                    };
                    (*share, part)
                });
                self.parts = parts.collect();
            }
        }
    }

    /// Gives way to what a unit has submitted itself.
    fn replace(&mut self, unit: Unit) {
        for (_, part) in &mut self.parts {
            part.replace(unit);
        }
        self.is_replaced |= self.parts.is_empty() && self.unit == unit;
    }

    /// Gives way where it never was anybody else's.
    fn take_back(&mut self) {
        for (_, part) in &mut self.parts {
            part.take_back();
        }
        self.is_replaced |= self.parts.is_empty() && self.is_own;
    }

    fn ends(&self) -> Vec<&Fate> {
        if self.parts.is_empty() {
            return vec![self];
        }
        self.parts
            .iter()
            .flat_map(|(_, part)| part.ends())
            .collect()
    }

    /// The one unit that has all of it: what was divided and meets again is whole.
    fn whole_at(&self, tree: &Tree) -> Option<Unit> {
        let ends: BTreeSet<Unit> = self.ends().iter().map(|end| end.unit).collect();
        let one = ends.first().filter(|_| ends.len() == 1);
        one.copied().filter(|unit| tree.stands(*unit))
    }

    /// The parts that each unit or leaf has, with the way to each. Only what sums is divided, and
    /// only by known shares; what is left where everybody has submitted since is nothing.
    fn divide(&self, tree: &Tree, sums: bool, amount: i128, way: &[usize]) -> Vec<Part> {
        let ends = self.ends();
        if ends.iter().all(|end| end.is_replaced) {
            return Vec::new();
        }
        let is_whole = self.whole_at(tree).is_some() && !ends.iter().any(|end| end.is_replaced);
        let shares: Option<Vec<Share>> = self.parts.iter().map(|(share, _)| *share).collect();
        let shares = shares.filter(|shares| sums && !is_whole && !shares.is_empty());
        let Some(shares) = shares else {
            return vec![Part {
                fate: self.clone(),
                amount,
                way: way.to_vec(),
            }];
        };
        let parts = self.parts.iter().zip(divided(amount, &shares)).enumerate();
        let parts = parts.flat_map(|(index, ((_, part), amount))| {
            part.divide(tree, sums, amount, &[way, &[index]].concat())
        });
        parts.collect()
    }
}

/// What was handed out of something.
struct Part {
    fate: Fate,
    amount: i128,
    /// The divisions that it went through.
    way: Vec<usize>,
}

/// By largest remainder, the first share first; a negative amount as its opposite.
fn divided(amount: i128, shares: &[Share]) -> Vec<i128> {
    let whole = amount.abs();
    let mut parts: Vec<i128> = shares.iter().map(|(of, all)| whole * of / all).collect();
    let exact = shares
        .iter()
        .map(|(of, all)| Fraction::new(whole * of, *all));
    let rest: Vec<Fraction> = exact.map(|exact| exact.fract()).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|a, b| rest[*b].cmp(&rest[*a]).then(a.cmp(b)));
    let left = whole - parts.iter().sum::<i128>();
    for index in order.into_iter().take(usize::try_from(left).unwrap()) {
        parts[index] += 1;
    }
    parts
        .into_iter()
        .map(|part| part * amount.signum())
        .collect()
}

/// What counts for a unit and a month.
#[derive(Debug, Clone)]
pub struct Submission {
    /// The rev at which it was given.
    pub given: i64,
    /// By the place of the indicator in [`PAIRS`].
    pub values: BTreeMap<usize, i64>,
}

/// Units, what is known of them, and what they submitted.
#[derive(Debug, Default)]
pub struct Model {
    pub ids: Vec<String>,
    pub map: Map,
    pub submissions: BTreeMap<(usize, Unit), Submission>,
    /// Everything that was ever put, and where it was withdrawn nothing, by the rev of each.
    pub history: BTreeMap<(usize, Unit), BTreeMap<i64, Option<Submission>>>,
}

/// Something that stands for a unit and a month.
struct Standing<'m> {
    unit: Unit,
    submission: &'m Submission,
    /// Whether it still is the unit's own. If not, it was there when the unit was divided, and
    /// stands in for the others.
    is_own: bool,
}

/// What happens to something on its way to the last day of its month.
enum Event<'m> {
    Document(&'m Document),
    /// Another or the same unit submits itself.
    Submits(Unit),
    /// The unit whose it is puts something else, or withdraws.
    IsTakenBack,
}

/// One value where it counts.
#[derive(Debug, Clone)]
struct Value {
    amount: i128,
    is_share: bool,
    /// Which report it is a part of: where that was on the last day of its month, and the
    /// divisions that it went through since.
    report: (Place, Vec<usize>),
}

/// By place, indicator and month.
type Values = BTreeMap<(Place, usize, usize), Vec<Value>>;

/// A period's figures on the map of a day.
pub struct View<'m> {
    model: &'m Model,
    period: Period,
    day: Day,
    pub tree: Tree,
    values: Values,
    /// Where each report is that there is.
    reports: Vec<Place>,
    /// For each month, where what was expected of each unit is to be.
    expected: Vec<Expected>,
}

/// What is expected of a unit.
struct Expected {
    whole: Place,
    shares: Vec<Place>,
    itself: Option<Place>,
}

/// What a place makes of a period itself.
#[derive(Debug, Clone)]
struct Own {
    /// The figure, or what it is divided into: a mean's sum.
    amount: Fraction,
    /// How many there are of them.
    values: u64,
    reported: u64,
    apportioned: u64,
}

/// A cell as it must be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub value: Option<String>,
    pub own: Option<String>,
    pub received: Option<String>,
    pub apportioned: u64,
    pub reported: u64,
    pub expected: u64,
}

/// A report as it must be shown: how many submitted of how many, and the cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub submitted: u64,
    pub expected: u64,
    pub cells: Vec<Cell>,
}

impl Model {
    fn documents_until(&self, month: usize) -> impl Iterator<Item = &Document> {
        let last_day = MONTHS[month].last_day;
        let documents = self.map.documents.iter();
        documents.filter(move |document| document.effective <= last_day)
    }

    /// What counts for a month, and what counted when its unit was divided and went on.
    fn standing(&self, month: usize) -> Vec<Standing<'_>> {
        let submissions = self.submissions.range((month, 0)..(month + 1, 0));
        let mut standing: Vec<Standing<'_>> = submissions
            .map(|((_, unit), submission)| Standing {
                unit: *unit,
                submission,
                is_own: true,
            })
            .collect();
        for ((_, unit), history) in self.history.range((month, 0)..(month + 1, 0)) {
            let goes_on = |passing: &Passing| {
                passing.from == *unit && passing.heirs.iter().any(|(heir, _)| heir == unit)
            };
            let divisions = self.documents_until(month);
            let divisions = divisions.filter(|document| document.passings.iter().any(goes_on));
            for division in divisions {
                let before = history.range(..division.rev).next_back();
                let Some((_, Some(submission))) = before else {
                    continue;
                };
                let is_there = standing
                    .iter()
                    .any(|known| known.unit == *unit && known.submission.given == submission.given);
                if !is_there {
                    standing.push(Standing {
                        unit: *unit,
                        submission,
                        is_own: false,
                    });
                }
            }
        }
        standing
    }

    /// What became of a submission by the last day of its month, through all that was written
    /// down since it was given.
    fn fate(&self, month: usize, of: &Standing<'_>, all: &[Standing<'_>]) -> Fate {
        let (unit, given) = (of.unit, of.submission.given);
        let mut events: Vec<(i64, Event<'_>)> = Vec::new();
        let documents = self.documents_until(month);
        events.extend(documents.map(|document| (document.rev, Event::Document(document))));
        let others = all.iter();
        events.extend(others.map(|other| (other.submission.given, Event::Submits(other.unit))));
        let own = self.history.get(&(month, unit)).into_iter().flatten();
        events.extend(own.map(|(rev, _)| (*rev, Event::IsTakenBack)));
        events.retain(|(rev, _)| *rev > given);
        events.sort_by_key(|(rev, _)| *rev);
        let mut fate = Fate::of(unit);
        for (_, event) in events {
            match event {
                Event::Document(document) => fate.pass(document),
                Event::Submits(other) => fate.replace(other),
                Event::IsTakenBack => fate.take_back(),
            }
        }
        fate
    }

    pub fn view(&self, period: Period, day: Day) -> View<'_> {
        let mut view = View {
            model: self,
            period,
            day,
            tree: self.map.tree(day),
            values: Values::new(),
            reports: Vec::new(),
            expected: Vec::new(),
        };
        for last_day in period.last_days() {
            view.expect(last_day);
        }
        for month in period.months() {
            view.collect(month);
        }
        view
    }
}

impl View<'_> {
    /// What was at a place on a day, on the map that is looked at.
    fn follow(&self, mut fate: Fate, after: Day) -> Fate {
        let is_between = |effective: Day| after < effective && effective <= self.day;
        self.model.map.follow(&mut fate, is_between);
        fate
    }

    fn place(&self, fate: &Fate) -> Place {
        self.model.map.place(fate, &self.tree, self.day)
    }

    fn expect(&mut self, last_day: Day) {
        let units = self.model.map.tree(last_day).0.into_iter();
        for (unit, _) in units.filter(|(_, state)| state.level > 0) {
            let fate = self.follow(Fate::of(unit), last_day);
            let shares = fate.divide(&self.tree, true, 1, &[]).into_iter();
            let shares = shares.map(|part| self.place(&part.fate)).collect();
            self.expected.push(Expected {
                whole: self.place(&fate),
                shares,
                itself: self.tree.stands(unit).then_some(Place::Unit(unit)),
            });
        }
    }

    fn collect(&mut self, month: usize) {
        let last_day = MONTHS[month].last_day;
        let tree = self.model.map.tree(last_day);
        let mut reports: BTreeMap<Place, Fate> = BTreeMap::new();
        let standing = self.model.standing(month);
        for of in &standing {
            let Standing {
                unit, submission, ..
            } = of;
            let fate = self.model.fate(month, of, &standing);
            let at = |fate: &Fate| self.model.map.place(fate, &tree, last_day);
            // That it was submitted is known wherever a share of it is.
            for part in fate.divide(&tree, true, 0, &[]) {
                reports.insert(at(&part.fate), part.fate);
            }
            for (indicator, value) in &submission.values {
                let units = PAIRS[*indicator].0;
                if units == "none" {
                    if of.is_own && tree.stands(*unit) && self.tree.stands(*unit) {
                        let report = (Place::Unit(*unit), Vec::new());
                        let value = Value {
                            amount: (*value).into(),
                            is_share: false,
                            report,
                        };
                        let key = (Place::Unit(*unit), *indicator, month);
                        self.values.entry(key).or_default().push(value);
                    }
                    continue;
                }
                let sums = units == "sum";
                for first in fate.divide(&tree, sums, (*value).into(), &[]) {
                    let was = at(&first.fate);
                    let then = self.follow(from_then_on(was, first.fate), last_day);
                    for second in then.divide(&self.tree, sums, first.amount, &[]) {
                        let value = Value {
                            amount: second.amount,
                            is_share: !first.way.is_empty() || !second.way.is_empty(),
                            report: (was, second.way),
                        };
                        let key = (self.place(&second.fate), *indicator, month);
                        self.values.entry(key).or_default().push(value);
                    }
                }
            }
        }
        for (was, fate) in reports {
            let then = self.follow(from_then_on(was, fate), last_day);
            self.reports.push(self.place(&then));
        }
    }

    fn own(&self, place: Place, indicator: usize) -> Option<Own> {
        let (units, time) = PAIRS[indicator];
        let months = self.period.months();
        let months = months.filter_map(|month| self.values.get(&(place, indicator, month)));
        let months: Vec<&Vec<Value>> = months.collect();
        let (first, last) = (months.first()?, months.last()?);
        let counted = |count: usize| u64::try_from(count).unwrap();
        let shares =
            |values: &[Value]| counted(values.iter().filter(|value| value.is_share).count());
        let all: Vec<Value> = months.iter().copied().flatten().cloned().collect();
        let reported = months.iter().map(|values| {
            let reports: BTreeSet<_> = values.iter().map(|value| &value.report).collect();
            counted(reports.len())
        });
        let reported = reported.sum();
        // Of one month, and of a mean of means, all values there are go up.
        if !self.period.is_long() || (units, time) == ("average", "average") {
            let amount = match units {
                "average" => combined("sum", &all),
                _ => combined(units, &all),
            };
            let (values, apportioned) = (counted(all.len()), shares(&all));
            return Some(Own {
                amount,
                values,
                reported,
                apportioned,
            });
        }
        let folded = months.iter().map(|values| combined(units, values));
        let folded: Vec<Fraction> = folded.collect();
        let count = Fraction::from(i128::try_from(folded.len()).unwrap());
        let sum: Fraction = folded.iter().sum();
        let (amount, apportioned) = match time {
            "sum" => (sum, shares(&all)),
            "average" => (sum / count, shares(&all)),
            "max" => (*folded.iter().max()?, shares(&all)),
            "first" => (folded[0], shares(first)),
            "last" => (folded[folded.len() - 1], shares(last)),
            "count" => (count, 0),
            other => panic!("{other}"),
        };
        Some(Own {
            amount,
            values: 1,
            reported,
            apportioned,
        })
    }

    /// The unit's leaves and its children.
    pub fn parts(&self, unit: Unit) -> Vec<Place> {
        let values = self.values.keys().map(|(place, _, _)| *place);
        let leaves = values.chain(self.reports.iter().copied());
        let leaves =
            leaves.filter(|place| matches!(place, Place::Leaf(_, under) if *under == Some(unit)));
        let children = self.tree.children(unit).into_iter().map(Place::Unit);
        let parts: BTreeSet<Place> = leaves.chain(children).collect();
        parts.into_iter().collect()
    }

    /// Whether a place lies at another or below it.
    fn is_within(&self, place: Place, top: Place) -> bool {
        let within = |unit: Unit| {
            self.tree
                .path(unit)
                .iter()
                .any(|above| Place::Unit(*above) == top)
        };
        match place {
            _ if place == top => true,
            Place::Unit(unit) => within(unit),
            Place::Leaf(_, under) => under.is_some_and(within),
        }
    }

    pub fn shown(&self, top: Place) -> Shown {
        let within = |place: &&Place| self.is_within(**place, top);
        let count = |places: &mut dyn Iterator<Item = &Place>| {
            u64::try_from(places.filter(within).count()).unwrap()
        };
        Shown {
            submitted: count(&mut self.reports.iter()),
            expected: count(&mut self.expected.iter().map(|expected| &expected.whole)),
            cells: (0..PAIRS.len())
                .map(|indicator| self.cell(top, indicator))
                .collect(),
        }
    }

    fn cell(&self, top: Place, indicator: usize) -> Cell {
        let (units, time) = PAIRS[indicator];
        let is_alone = matches!(units, "none" | "transfer");
        let is_within = |place: Place| match is_alone {
            true => place == top,
            false => self.is_within(place, top),
        };
        let places: BTreeSet<Place> = self.values.keys().map(|(place, _, _)| *place).collect();
        let within = places.iter().filter(|place| is_within(**place));
        let all: Vec<Own> = within
            .filter_map(|place| self.own(*place, indicator))
            .collect();
        let amounts = || all.iter().map(|own| own.amount);
        let values: u64 = all.iter().map(|own| own.values).sum();
        let sum: Fraction = amounts().sum();
        let value = match units {
            "average" => sum / Fraction::from(i128::from(values.max(1))),
            "max" => amounts().max().unwrap_or_default(),
            "min" => amounts().min().unwrap_or_default(),
            "count" => Fraction::from(i128::from(values)),
            _ => sum,
        };
        let is_average = units == "average" || self.period.is_long() && time == "average";
        let decimals = if is_average { 2 } else { 0 };
        let expected = self.expected.iter().flat_map(|expected| match units {
            "sum" => expected.shares.clone(),
            "none" => expected.itself.into_iter().collect(),
            _ => vec![expected.whole],
        });
        let expected = expected.filter(|place| is_within(*place)).count();
        let own = self.own(top, indicator).map(|own| match units {
            "average" => own.amount / Fraction::from(i128::from(own.values)),
            _ => own.amount,
        });
        let received = match top {
            Place::Unit(unit) if units == "transfer" => self.parts(unit),
            _ => Vec::new(),
        };
        let received = received
            .into_iter()
            .filter_map(|part| self.own(part, indicator));
        let received = received.map(|own| own.amount).reduce(|sum, own| sum + own);
        Cell {
            value: (!all.is_empty()).then(|| shown(value, decimals)),
            own: own.map(|own| shown(own, decimals)),
            received: received.map(|received| shown(received, decimals)),
            apportioned: all.iter().map(|own| own.apportioned).sum(),
            reported: all.iter().map(|own| own.reported).sum(),
            expected: u64::try_from(expected).unwrap(),
        }
    }
}

/// A report stands at its unit, whatever it was made of; what is left in a leaf goes on with
/// those who share it.
fn from_then_on(place: Place, fate: Fate) -> Fate {
    match place {
        Place::Unit(unit) => Fate::of(unit),
        Place::Leaf(..) => fate,
    }
}

/// One month's values at one place.
fn combined(units: &str, values: &[Value]) -> Fraction {
    let amounts = || values.iter().map(|value| Fraction::from(value.amount));
    let sum: Fraction = amounts().sum();
    match units {
        "max" => amounts().max().unwrap_or_default(),
        "min" => amounts().min().unwrap_or_default(),
        "average" => sum / Fraction::from(i128::try_from(values.len()).unwrap()),
        _ => sum,
    }
}

/// As a decimal, rounded half away from zero, without zeros at its end.
fn shown(number: Fraction, decimals: u32) -> String {
    let scaled = number * Fraction::from(10_i128.pow(decimals));
    let scaled = scaled.round().to_integer();
    let after = usize::try_from(decimals).unwrap();
    let digits = format!("{:0>width$}", scaled.abs(), width = after + 1);
    let (whole, fraction) = digits.split_at(digits.len() - after);
    let fraction = fraction.trim_end_matches('0');
    let sign = if scaled < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}
