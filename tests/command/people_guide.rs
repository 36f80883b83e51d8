//! The commands of `docs/people.md` work as they are printed.

use crate::harness::guide::Guide;

#[test]
fn the_commands_of_the_guide_on_people_work_as_printed() {
    let guide = Guide::follow(include_str!("../../docs/people.md"));
    for expected in [
        // The manager's own rights, the successor, the program's units, the feed, the proof.
        r#""name":"Bùi Thị Kim""#,
        r#""login":"0912000009""#,
        r#""name":"Tân Hậu A""#,
        r#""kind":"account.handed_over""#,
    ] {
        assert!(guide.said.contains(expected), "{expected}: {}", guide.said);
    }
    let invitations = std::fs::read_to_string(guide.path("invitations.csv")).unwrap();
    assert_eq!(invitations.lines().count(), 9, "{invitations}");
}
