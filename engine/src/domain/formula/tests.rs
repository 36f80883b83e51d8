use proptest::prelude::*;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use super::*;

fn fraction(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

fn whole(number: i64) -> BigRational {
    fraction(number, 1)
}

/// a = 6, b = 8, c = 3, zero = 0, docs.issued = 10, docs.issued[plan] = 4, 7 received from
/// below for a; nothing else has a value.
fn figures(operand: &Operand) -> Option<BigRational> {
    match operand.to_string().as_str() {
        "a" => Some(whole(6)),
        "b" => Some(whole(8)),
        "c" => Some(whole(3)),
        "zero" => Some(whole(0)),
        "docs.issued" => Some(whole(10)),
        "docs.issued[plan]" => Some(whole(4)),
        "received_from_below(a)" => Some(whole(7)),
        _ => None,
    }
}

fn evaluate(text: &str) -> Evaluation {
    text.parse::<Formula>().unwrap().evaluate(&figures)
}

fn value(text: &str) -> Option<BigRational> {
    evaluate(text).value
}

fn parts(text: &str) -> Option<(Option<BigRational>, Option<BigRational>)> {
    evaluate(text)
        .quotient
        .map(|quotient| (quotient.numerator, quotient.denominator))
}

fn holds(text: &str) -> Option<bool> {
    text.parse::<Comparison>().unwrap().holds(&figures)
}

fn formula_error(text: &str) -> FormulaError {
    text.parse::<Formula>().unwrap_err()
}

fn comparison_error(text: &str) -> FormulaError {
    text.parse::<Comparison>().unwrap_err()
}

#[test]
fn precedence_and_associativity() {
    let cases = [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("8/4/2", 1),
        ("10-4-3", 3),
        ("2 * 3 / 6 * 5", 5),
        ("12 / (4 / 2)", 6),
        ("10 - (4 - 3)", 9),
        ("-2 * 3 + 10", 4),
        ("2 - -3", 5),
        ("--4", 4),
        ("-(1 + 2)", -3),
        ("\t1\n+\r2 ", 3),
        ("a * b - c", 45),
        ("docs.issued - docs.issued[plan]", 6),
    ];
    for (text, expected) in cases {
        assert_eq!(value(text), Some(whole(expected)), "{text}");
    }
}

#[test]
fn arithmetic_is_exact() {
    assert_eq!(value("1/3*3"), Some(whole(1)));
    assert_eq!(value("0.1 + 0.2"), Some(fraction(3, 10)));
    assert_eq!(value("007.50"), Some(fraction(15, 2)));
    let huge = "9".repeat(60);
    assert_eq!(value(&format!("({huge} + 1) - {huge}")), Some(whole(1)));
}

#[test]
fn what_is_missing_stays_missing() {
    for text in [
        "gone",
        "a + gone",
        "gone * 0",
        "-gone",
        "min(a, gone)",
        "max(gone, a)",
        "docs.issued[report]",
    ] {
        assert_eq!(value(text), None, "{text}");
    }
    for text in ["a / zero", "a / (b - 8)", "1 / 0", "0 / 0"] {
        assert_eq!(value(text), None, "{text}");
    }
    assert_eq!(value("coalesce(gone, 5)"), Some(whole(5)));
    assert_eq!(value("coalesce(a, 5)"), Some(whole(6)));
    assert_eq!(value("coalesce(zero, 5)"), Some(whole(0)));
    assert_eq!(value("coalesce(a / zero, b)"), Some(whole(8)));
    assert_eq!(value("coalesce(gone, gone)"), None);
    assert_eq!(value("a + coalesce(gone, 0)"), Some(whole(6)));
}

#[test]
fn extremes() {
    assert_eq!(value("min(a, b, c)"), Some(whole(3)));
    assert_eq!(value("max(a, b, c)"), Some(whole(8)));
    assert_eq!(value("min(1/3, 0.3)"), Some(fraction(3, 10)));
    assert_eq!(value("max(-1, coalesce(gone, -2))"), Some(whole(-1)));
}

#[test]
fn words_of_functions_are_codes_without_parentheses() {
    let operands = "min + max.coalesce".parse::<Formula>().unwrap().operands();
    assert_eq!(
        operands.iter().map(Operand::to_string).collect::<Vec<_>>(),
        ["max.coalesce", "min"]
    );
}

#[test]
fn quotients_without_their_constant_factors() {
    let a_over_b = [
        "a / b",
        "(a / b)",
        "100 * a / b",
        "a / b * 100",
        "100 * (a / b)",
        "((a / b)) * 100",
        "(a * 100) / b",
        "a / (b * 100)",
        "100 * (a / b) / 2",
        "a / b / 100",
        "(50 + 50) * a / b",
        "-100 * a / b",
        "2 * (3 * (a / b))",
        "a / 100 / b",
        "((a * 3) * 2) / b",
        "(100 * a / 2) / (min(1, 2) * b)",
    ];
    for text in a_over_b {
        assert_eq!(
            parts(text),
            Some((Some(whole(6)), Some(whole(8)))),
            "{text}"
        );
    }
    assert_eq!(
        parts("(a + b) * 100 / c"),
        Some((Some(whole(14)), Some(whole(3))))
    );
    assert_eq!(
        parts("100 * a / (b + c)"),
        Some((Some(whole(6)), Some(whole(11))))
    );
    assert_eq!(parts("a / b / c"), Some((Some(whole(6)), Some(whole(24)))));
    assert_eq!(parts("a * c / b"), Some((Some(whole(18)), Some(whole(8)))));
    assert_eq!(
        parts("100 * -a / b"),
        Some((Some(whole(-6)), Some(whole(8))))
    );
    assert_eq!(
        parts("100 * coalesce(gone, 0) / b"),
        Some((Some(whole(0)), Some(whole(8))))
    );
}

#[test]
fn what_is_no_quotient() {
    for text in [
        "a",
        "a * b",
        "a / 12",
        "100 / a",
        "1 / 3",
        "a / b * c",
        "a / b + 1",
        "100 - 100 * a / b",
        "min(a / b, 1)",
        "-(a / b)",
    ] {
        assert_eq!(parts(text), None, "{text}");
    }
}

#[test]
fn parts_of_a_quotient_without_a_value() {
    assert_eq!(
        parts("100 * a / zero"),
        Some((Some(whole(6)), Some(whole(0))))
    );
    assert_eq!(parts("gone / b"), Some((None, Some(whole(8)))));
    assert_eq!(parts("a / gone"), Some((Some(whole(6)), None)));
    for text in ["100 * a / zero", "gone / b", "a / gone"] {
        assert_eq!(value(text), None, "{text}");
    }
}

#[test]
fn comparisons() {
    let cases = [
        ("a <= 6", true),
        ("a < 6", false),
        ("a >= 6", true),
        ("a > 6", false),
        ("a = 6", true),
        ("a != 6", false),
        ("a<b", true),
        ("a + c = b + 1", true),
        ("-a < -5.9", true),
        ("received_from_below(a) <= a", false),
        ("1/3 = 0.3333", false),
    ];
    for (text, expected) in cases {
        assert_eq!(holds(text), Some(expected), "{text}");
    }
    assert_eq!(holds("gone <= a"), None);
    assert_eq!(holds("a <= gone"), None);
    assert_eq!(holds("a / zero != b"), None);
    assert_eq!(holds("received_from_below(b) = 1"), None);
}

#[test]
fn operands_once_each() {
    let comparison: Comparison = "received_from_below(a[x]) + b[2024] <= a + b[2024] + a"
        .parse()
        .unwrap();
    let operands: Vec<String> = comparison
        .operands()
        .iter()
        .map(Operand::to_string)
        .collect();
    assert_eq!(operands, ["a", "received_from_below(a[x])", "b[2024]"]);
    let formula: Formula = "coalesce(-a, min(b, c)) / a * 2".parse().unwrap();
    let operands: Vec<String> = formula.operands().iter().map(Operand::to_string).collect();
    assert_eq!(operands, ["a", "b", "c"]);
}

#[test]
fn errors_say_what_was_expected_where() {
    let unexpected = |position, found: &str, expected| FormulaError::Unexpected {
        position,
        found: found.to_owned(),
        expected,
    };
    let end = |position, expected| FormulaError::UnexpectedEnd { position, expected };
    assert_eq!(formula_error(""), end(0, Expected::Value));
    assert_eq!(formula_error("a + "), end(4, Expected::Value));
    assert_eq!(formula_error("(a"), end(2, Expected::ClosingParenthesis));
    assert_eq!(formula_error("a[x"), end(3, Expected::ClosingBracket));
    assert_eq!(
        formula_error("a + * b"),
        unexpected(4, "*", Expected::Value)
    );
    assert_eq!(formula_error("+a"), unexpected(0, "+", Expected::Value));
    assert_eq!(formula_error("a b"), unexpected(2, "b", Expected::Operator));
    assert_eq!(formula_error("a)"), unexpected(1, ")", Expected::Operator));
    assert_eq!(
        formula_error("2(a)"),
        unexpected(1, "(", Expected::Operator)
    );
    assert_eq!(
        formula_error("a <= b"),
        unexpected(2, "<=", Expected::Operator)
    );
    assert_eq!(
        formula_error("(a, b)"),
        unexpected(2, ",", Expected::ClosingParenthesis)
    );
    assert_eq!(formula_error("a[]"), unexpected(2, "]", Expected::Option));
    assert_eq!(
        formula_error("a[x y]"),
        unexpected(4, "y", Expected::ClosingBracket)
    );
    assert_eq!(comparison_error("a"), end(1, Expected::ComparisonSign));
    assert_eq!(
        comparison_error("a )"),
        unexpected(2, ")", Expected::ComparisonSign)
    );
    assert_eq!(comparison_error("a <="), end(4, Expected::Value));
    assert_eq!(
        comparison_error("a < b < c"),
        unexpected(6, "<", Expected::Operator)
    );
    assert_eq!(
        comparison_error("a == b"),
        unexpected(3, "=", Expected::Value)
    );
    assert_eq!(
        comparison_error("received_from_below(-a) < 1"),
        unexpected(20, "-", Expected::Indicator)
    );
    assert_eq!(
        comparison_error("received_from_below(a + b) < 1"),
        unexpected(22, "+", Expected::ClosingParenthesis)
    );
}

#[test]
fn limits() {
    let nested = |levels: usize| format!("{}1{}", "(".repeat(levels), ")".repeat(levels));
    assert_eq!(value(&nested(64)), Some(whole(1)));
    assert_eq!(
        formula_error(&nested(65)),
        FormulaError::TooDeep { position: 64 }
    );
    assert_eq!(
        formula_error(&"(".repeat(MAX_BYTES)),
        FormulaError::TooDeep { position: 64 }
    );
    assert_eq!(
        formula_error(&"-".repeat(MAX_BYTES)),
        FormulaError::TooDeep { position: 64 }
    );
    assert_eq!(
        formula_error(&"min(".repeat(300)),
        FormulaError::TooDeep { position: 256 }
    );
    assert_eq!(
        formula_error(&"1".repeat(2001)),
        FormulaError::TooLong { bytes: 2001 }
    );
    assert_eq!(value(&format!("1{}", "-1".repeat(99))), Some(whole(-98)));
    assert_eq!(
        formula_error(&format!("1{}", "-1".repeat(100))),
        FormulaError::TooManyValues { position: 200 }
    );
    let code = format!("a.{}", "b".repeat(98));
    assert_eq!(value(&code), None);
    assert!(matches!(
        formula_error(&format!("{code}b")),
        FormulaError::InvalidIndicator { .. }
    ));
}

#[test]
fn text_is_kept_as_written() {
    let text = " 100*population.insured /\tpopulation.total ";
    let formula: Formula = text.parse().unwrap();
    assert_eq!(formula.to_string(), text);
    let written = serde_json::to_string(&formula).unwrap();
    assert_eq!(serde_json::from_str::<Formula>(&written).unwrap(), formula);
    assert!(serde_json::from_str::<Formula>("\"1 +\"").is_err());
    let comparison: Comparison = serde_json::from_str("\"fund.spent <= fund.raised\"").unwrap();
    assert_eq!(comparison.to_string(), "fund.spent <= fund.raised");
    assert_eq!(
        serde_json::to_string(&comparison).unwrap(),
        "\"fund.spent <= fund.raised\""
    );
}

#[test]
fn rounding_takes_halves_away_from_zero() {
    let cases = [
        (fraction(5, 2), 0, 3),
        (fraction(-5, 2), 0, -3),
        (fraction(5, 1000), 2, 1),
        (fraction(-5, 1000), 2, -1),
        (fraction(4999, 1_000_000), 2, 0),
        (fraction(1, 3), 2, 33),
        (fraction(2, 3), 2, 67),
        (fraction(-2, 3), 2, -67),
        (fraction(9364, 100), 2, 9364),
        (fraction(936_350, 10_000), 1, 936),
        (fraction(1, 2), 0, 1),
        (fraction(-1, 2), 0, -1),
        (fraction(49, 100), 0, 0),
        (whole(-7), 3, -7000),
        (whole(0), 5, 0),
    ];
    for (value, decimals, mantissa) in cases {
        assert_eq!(
            rounded(&value, decimals),
            BigInt::from(mantissa),
            "{value} at {decimals}"
        );
    }
    let just_below = fraction(5, 2) - BigRational::new(1.into(), BigInt::from(10).pow(60));
    assert_eq!(rounded(&just_below, 0), BigInt::from(2));
}

/// An expression written by a generator, and what it must yield, computed without this module's
/// tree.
#[derive(Debug, Clone)]
struct Written {
    text: String,
    value: Option<BigRational>,
}

fn leaf() -> impl Strategy<Value = Written> {
    prop_oneof![
        (0_i64..1000, 0_i64..100).prop_map(|(whole, hundredths)| Written {
            text: format!("{whole}.{hundredths:02}"),
            value: Some(fraction(whole * 100 + hundredths, 100)),
        }),
        prop::sample::select(vec![
            ("a", Some(6)),
            ("b", Some(8)),
            ("docs.issued[plan]", Some(4)),
            ("zero", Some(0)),
            ("gone", None)
        ])
        .prop_map(|(code, value)| Written {
            text: code.to_owned(),
            value: value.map(whole)
        }),
    ]
}

fn combined(symbol: usize, left: Written, right: Written) -> Written {
    let both = left.value.clone().zip(right.value.clone());
    let (left_text, right_text) = (left.text, right.text);
    match symbol {
        0 => Written {
            text: format!("({left_text} + {right_text})"),
            value: both.map(|(l, r)| l + r),
        },
        1 => Written {
            text: format!("({left_text}-{right_text})"),
            value: both.map(|(l, r)| l - r),
        },
        2 => Written {
            text: format!("({left_text}*{right_text})"),
            value: both.map(|(l, r)| l * r),
        },
        3 => Written {
            text: format!("({left_text} / {right_text})"),
            value: both.filter(|(_, r)| !r.is_zero()).map(|(l, r)| l / r),
        },
        4 => Written {
            text: format!("min({left_text}, {right_text})"),
            value: both.map(|(l, r)| l.min(r)),
        },
        5 => Written {
            text: format!("max( {left_text},{right_text})"),
            value: both.map(|(l, r)| l.max(r)),
        },
        6 => Written {
            text: format!("coalesce({left_text}, {right_text})"),
            value: left.value.or(right.value),
        },
        _ => Written {
            text: format!("-{left_text}"),
            value: left.value.map(|value| -value),
        },
    }
}

fn expression() -> impl Strategy<Value = Written> {
    leaf().prop_recursive(5, 32, 2, |inner| {
        (0_usize..8, inner.clone(), inner)
            .prop_map(|(symbol, left, right)| combined(symbol, left, right))
    })
}

proptest! {
    #[test]
    fn meaning_survives_display_and_reading(written in expression()) {
        let formula: Formula = written.text.parse().unwrap();
        prop_assert_eq!(formula.evaluate(&figures).value, written.value);
        prop_assert_eq!(formula.to_string().parse::<Formula>(), Ok(formula));
    }

    #[test]
    fn comparisons_agree_with_the_order_of_values(left in expression(), right in expression()) {
        let both = left.value.zip(right.value);
        let comparison = |sign| holds(&format!("{} {sign} {}", left.text, right.text));
        prop_assert_eq!(comparison("<="), both.as_ref().map(|(l, r)| l <= r));
        prop_assert_eq!(comparison("!="), both.as_ref().map(|(l, r)| l != r));
        prop_assert_eq!(comparison(">"), both.as_ref().map(|(l, r)| l > r));
    }

    #[test]
    fn a_quotient_is_the_value_but_for_a_constant(left in expression(), right in expression(), constant in 1_i64..1000) {
        let plain = evaluate(&format!("coalesce(a, 0) * {} / ({} + b)", left.text, right.text));
        let scaled = evaluate(&format!("{constant} * (coalesce(a, 0) * {} / ({} + b))", left.text, right.text));
        prop_assert_eq!(&plain.quotient, &scaled.quotient);
        prop_assert_eq!(plain.value.map(|value| value * whole(constant)), scaled.value);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = text.parse::<Formula>();
        let _ = text.parse::<Comparison>();
    }

    #[test]
    fn any_text_of_the_alphabet_is_read_or_refused(text in "([a-c.1_ ]|[-+*/(),]|\\[|\\]|min\\(|coalesce\\(|received_from_below\\(|<=?|!?=|ă){0,60}") {
        if let Err(FormulaError::Unexpected { position, found, .. }) = text.parse::<Comparison>() {
            prop_assert!(text[position..].starts_with(&found));
        }
        if let Ok(formula) = text.parse::<Formula>() {
            let _ = formula.evaluate(&figures);
        }
    }

    #[test]
    fn rounding_is_the_nearest_mantissa(numerator in any::<i64>(), denominator in 1_i64.., decimals in 0_u32..6) {
        let value = fraction(numerator, denominator);
        let scaled = &value * BigInt::from(10).pow(decimals);
        let distance = BigRational::from_integer(rounded(&value, decimals)) - &scaled;
        prop_assert!(distance <= fraction(1, 2) && distance >= fraction(-1, 2));
        prop_assert_eq!(rounded(&-value.clone(), decimals), -rounded(&value, decimals));
    }
}
