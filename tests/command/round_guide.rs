//! The commands of `docs/round.md` work as they are printed, on the demo.

use crate::harness::guide::Guide;

#[test]
fn the_commands_of_the_guide_on_the_round_work_as_printed() {
    let guide = Guide::follow_on_demo(include_str!("../../docs/round.md"));
    for expected in [
        // What the hamlet owes, and what it is told of its report.
        r#""kind":"submit""#,
        r#""reason":"Thừa một số 0 so với sổ.""#,
        r#""until":"2025-01-10""#,
        // What the town asks for, and what it sees of who is missing.
        r#""text":"Đề nghị xã kiểm tra lại số chi rồi gửi lại.""#,
        r#""reason":"Báo cáo thiếu số công văn và người ký.""#,
        // The hamlets that were asked at once.
        r#""reported":1,"expected":3"#,
        // The two reports that go up, and the correction of 2023 beside what was sent then.
        r#""document_number":"25/BC-MTTQ-BTT""#,
        r#""lack":"missing""#,
        r#""kind":"release.received""#,
        r#""then":{"value":1371000000"#,
    ] {
        assert!(guide.said.contains(expected), "{expected}: {}", guide.said);
    }
    // The correction leaves out nothing that was sent before.
    assert!(!guide.said.contains("VALUE_REMOVED"), "{}", guide.said);
}
