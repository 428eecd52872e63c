//! Ruby of any kind, broken Ruby too, is read without panic and with places that are inside the file.

use proptest::prelude::*;
use wardroom_ruby::ir::Node;
use wardroom_ruby::{parse, walk};

const SAMPLES: &[&str] = &[
    "class A::B < C[5.0]\n  include D\n  scope :x, ->(a, b: 1, **c) { where(a:, b:) }\n  def self.m(a, (b, *c), d = 1, *e, f:, g: 2, **h, &i) = yield(a, *e, **h)\nend\n",
    "y = 1\ncase x\nin { a: Integer => n, b: [1, *rest], **nil } if n > 1 then n\nin [String | Symbol, ^y, *] | nil\n  y&.z&.w ||= 1\nelse\n  a, (b, *c), d.e, f[0] = *g, h\nend\n",
    "begin\n  `ls #{a}` =~ /(?<n>\\d+)/mx\nrescue A, B => @e\n  retry\nelse\n  $1 + $~\nensure\n  x += 1 while y\nend\n",
    "foo <<~A, <<-'B' do |x; y|\n  a #{b <<~C}\n    c\n  C\nA\n  raw #{no}\nB\n  [1..2, (3..), %w[a b], %i[c], ?d, :\"e#{f}\", -> { it rescue nil }]\nend\n",
    "module M; class << self; alias_method :a, :b; alias c d; undef e; attr_accessor :f; private def g(...) = h(...); end; end\nBEGIN { a }\n__END__\nrest",
    "def a(*, **, &) = b(*, **, &)\nx = if a then b elsif c then d end\nx => { y: }\nfor i, j in k do next i; break; redo end\nputs(<<~X.strip)\n  é \u{1F600}\nX\n",
];

fn check(source: &[u8]) {
    let owned = source.to_vec();
    // Prism itself recurses: it wants a stack of its own size.
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(move || {
        let parsed = parse(&owned);
        let end = owned.len() as u32;
        fn inside(node: &Node, end: u32, depth: u32) {
            assert!(node.span.start <= node.span.end && node.span.end <= end, "{:?} of {end}", node.span);
            assert!(depth < 2_000, "deeper than any analysis may recurse");
            walk::children(node, &mut |child| inside(child, end, depth + 1));
        }
        inside(&parsed.body, end, 0);
        for comment in &parsed.comments {
            assert!(comment.span.end <= end);
        }
    });
    thread.expect("a thread").join().expect("no panic");
}

#[test]
fn samples_parse_without_errors() {
    for sample in SAMPLES {
        assert!(
            parse(sample.as_bytes()).errors.is_empty(),
            "{:?}\n{sample}",
            parse(sample.as_bytes()).errors
        );
        check(sample.as_bytes());
    }
}

#[test]
fn deep_and_long_code_ends() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{a:", "}"),
        ("-> {", "}"),
        ("if x\n", "end\n"),
        ("a(", ")"),
        ("!", ""),
        ("x.y ", ""),
        ("\"#{", "}\""),
    ] {
        check(format!("{}1{}", open.repeat(5_000), close.repeat(5_000)).as_bytes());
    }
    check(format!("x = 1{}", " + 1".repeat(50_000)).as_bytes());
    check(format!("x{}", ".y".repeat(50_000)).as_bytes());
    check("a = 'b'\n".repeat(200_000).as_bytes());
    check(&[0xff; 10_000]);
    check(&[0; 10_000]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn mutations_are_survived(at in 0..SAMPLES.len(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..12)) {
        let mut bytes = SAMPLES[at].as_bytes().to_vec();
        for (index, byte, how) in edits {
            if bytes.is_empty() {
                break;
            }
            let i = index.index(bytes.len());
            match how {
                0 => { bytes.remove(i); }
                1 => bytes[i] = byte,
                _ => bytes.insert(i, byte),
            }
        }
        check(&bytes);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes);
    }
}
