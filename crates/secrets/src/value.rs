//! Whether a value is a secret or only stands where one could: how random it is, and what it looks
//! like otherwise.

/// Shannon's entropy of the bytes, in bits a byte.
pub fn entropy(bytes: &[u8]) -> f64 {
    if bytes.is_empty() {
        return 0.0;
    }
    let mut counts = [0u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|c| **c > 0)
        .map(|c| {
            let share = f64::from(*c) / total;
            -share * share.log2()
        })
        .sum()
}

/// Words that tell that a value was put there to be replaced, in lower case.
const STAND_INS: [&str; 44] = [
    "example",
    "changeme",
    "change_me",
    "change-me",
    "change this",
    "placeholder",
    "replaceme",
    "replace_me",
    "replace-me",
    "redacted",
    "your_",
    "your-",
    "yourpassword",
    "yourtoken",
    "yoursecret",
    "yourapikey",
    "your api",
    "my_secret",
    "my-secret",
    "mysecret",
    "my_password",
    "mypassword",
    "my-password",
    "my_token",
    "insert_",
    "insert-",
    "todo",
    "fixme",
    "dummy",
    "sample",
    "foobar",
    "foo_bar",
    "notreal",
    "not_real",
    "not-real",
    "fake",
    "censored",
    "removed",
    "hidden_",
    "xxxxx",
    "*****",
    "undefined",
    "lorem",
    "deadbeef",
];

/// Values that are words of their language, settings or stand-ins, in lower case.
const PLAIN: [&str; 62] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "apikey",
    "api_key",
    "username",
    "user",
    "admin",
    "root",
    "null",
    "nil",
    "none",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "default",
    "test",
    "testing",
    "tests",
    "foo",
    "bar",
    "baz",
    "qux",
    "value",
    "string",
    "string?",
    "text",
    "required",
    "optional",
    "unknown",
    "empty",
    "env",
    "environ",
    "config",
    "auto",
    "hidden",
    "public",
    "private",
    "credentials",
    "basic",
    "bearer",
    "anonymous",
    "guest",
    "postgres",
    "mysql",
    "redis",
    "mongo",
    "abc",
    "xyz",
    "hello",
    "world",
    "localhost",
    "changeit",
    "not-set",
    "n/a",
];

/// Runs that a person types when something has to stand there.
const SEQUENCES: [&str; 9] = [
    "123456",
    "0123456",
    "abcdefgh",
    "abcd1234",
    "987654321",
    "qwertyui",
    "a1b2c3d4",
    "1a2b3c4d",
    "zyxwvuts",
];

/// Why a value is not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harmless {
    /// It is empty or too short.
    Short,
    /// Something else is put in its place when the program runs.
    Reference,
    /// Somebody was to replace it.
    StandIn,
    /// It repeats or counts.
    Pattern,
    /// It is a word, a sentence, a name.
    Words,
    /// It is a path, an address, a file's name, a date.
    Place,
}

/// A value that stands for another, whatever kind of secret was looked for.
pub fn stand_in(value: &[u8]) -> Option<Harmless> {
    if value.is_empty() {
        return Some(Harmless::Short);
    }
    if reference(value) {
        return Some(Harmless::Reference);
    }
    let lower = value.to_ascii_lowercase();
    if STAND_INS.iter().any(|w| contains(&lower, w.as_bytes())) {
        return Some(Harmless::StandIn);
    }
    if repeats(value) || SEQUENCES.iter().any(|s| contains(&lower, s.as_bytes())) {
        return Some(Harmless::Pattern);
    }
    None
}

/// The same for the random part of a token whose form is known: only what chance does not bring.
pub fn stand_in_token(random: &[u8]) -> Option<Harmless> {
    let lower = random.to_ascii_lowercase();
    let words = [
        "example",
        "xxxxx",
        "redacted",
        "placeholder",
        "changeme",
        "your_",
        "your-",
        "yourtoken",
        "yourkey",
        "insert",
        "dummy",
        "deadbeef",
        "sample",
        "foobar",
        "secret",
        "password",
    ];
    if words.iter().any(|w| contains(&lower, w.as_bytes())) {
        return Some(Harmless::StandIn);
    }
    let sequences = ["123456", "abcdef", "654321", "qwerty", "fedcba"];
    if repeats(random) || random.len() >= 12 && sequences.iter().any(|s| contains(&lower, s.as_bytes())) {
        return Some(Harmless::Pattern);
    }
    if reference(random) {
        return Some(Harmless::Reference);
    }
    None
}

/// The program, a template or a shell puts something in its place.
fn reference(value: &[u8]) -> bool {
    let marks: [&[u8]; 14] = [
        b"${", b"#{", b"{{", b"<%", b"%{", b"%(", b"$(", b"}}", b"ENV[", b"ENV.", b"env.", b"environ", b"{%",
        b"getenv",
    ];
    if marks.iter().any(|m| contains(value, m)) {
        return true;
    }
    if placeholder_in_braces(value) {
        return true;
    }
    let (first, last) = (value[0], value[value.len() - 1]);
    let wrapped = matches!(
        (first, last),
        (b'<', b'>') | (b'{', b'}') | (b'[', b']') | (b'%', b'%') | (b'(', b')') | (b'`', b'`')
    );
    let word = |rest: &[u8]| !rest.is_empty() && rest.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    // `$NAME`, `%s`, `:name`, `@name`, `&name`, `*name`
    wrapped
        || first == b'$' && word(&value[1..]) && !value[1].is_ascii_digit()
        || matches!(value, b"%s" | b"%d" | b"%v" | b"?" | b"%@")
        || matches!(first, b'&' | b'*') && word(&value[1..]) && value.len() < 32
        || value.starts_with(b"!") && value.get(1).is_some_and(u8::is_ascii_alphabetic) && value.len() < 16
        || [&b"vault:"[..], b"secret:", b"ref+", b"op://", b"arn:aws:", b"file:", b"ssm:", b"enc["]
            .iter()
            .any(|p| value.len() > p.len() && value[..p.len()].eq_ignore_ascii_case(p))
}

/// `{name}` or `{name:…}` somewhere: what many languages fill in.
fn placeholder_in_braces(value: &[u8]) -> bool {
    value.iter().enumerate().filter(|(_, b)| **b == b'{').any(|(open, _)| {
        let rest = &value[open + 1..];
        let inner =
            rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':')).count();
        inner >= 2 && rest.get(inner) == Some(&b'}') && rest[0].is_ascii_alphabetic()
    })
}

/// One byte five times in a row, one or two or three bytes over and over, or hardly any different ones.
fn repeats(value: &[u8]) -> bool {
    let mut run = 1;
    for pair in value.windows(2) {
        run = if pair[0] == pair[1] { run + 1 } else { 1 };
        if run >= 5 {
            return true;
        }
    }
    if value.len() >= 8 {
        for period in 1..=4usize {
            if value.len() >= period * 3 && value.iter().zip(&value[period..]).all(|(a, b)| a == b) {
                return true;
            }
        }
    }
    // `1A1A1A1A1A` somewhere in it
    let mut pair_run = 2;
    for three in value.windows(3) {
        pair_run = if three[0] == three[2] { pair_run + 1 } else { 2 };
        if pair_run >= 10 {
            return true;
        }
    }
    let mut seen = [false; 256];
    value.iter().for_each(|b| seen[usize::from(*b)] = true);
    value.len() >= 16 && seen.iter().filter(|s| **s).count() <= 4
}

/// Whether a value that was assigned to something like a key or token is random enough to be one.
pub fn random_token(value: &[u8]) -> Result<(), Harmless> {
    if value.len() < 12 {
        return Err(Harmless::Short);
    }
    if let Some(why) = stand_in(value) {
        return Err(why);
    }
    if place(value) {
        return Err(Harmless::Place);
    }
    if value.iter().any(|b| b.is_ascii_whitespace() || !b.is_ascii_graphic()) {
        return Err(Harmless::Words);
    }
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    if digits == value.len() || digits + letters < value.len() * 2 / 3 {
        return Err(Harmless::Words);
    }
    let bits = entropy(value);
    let hex = value.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    if hex {
        return if value.len() >= 16 && bits >= 2.9 && letters > 0 { Ok(()) } else { Err(Harmless::Pattern) };
    }
    if words(value) {
        return Err(Harmless::Words);
    }
    // What chance brings at this length, less a margin.
    let floor = if value.len() < 20 {
        3.1
    } else if value.len() < 32 {
        3.5
    } else {
        3.9
    };
    if bits < floor {
        return Err(Harmless::Pattern);
    }
    if digits == 0 && !mixed(value) {
        return Err(Harmless::Words);
    }
    Ok(())
}

/// Whether a value that was assigned to something like a password could be one that somebody chose.
pub fn chosen_password(value: &[u8]) -> Result<(), Harmless> {
    if value.len() < 6 {
        return Err(Harmless::Short);
    }
    if let Some(why) = stand_in(value).or_else(|| plain(value)) {
        return Err(why);
    }
    if place(value) {
        return Err(Harmless::Place);
    }
    if value.iter().any(|b| b.is_ascii_whitespace() || *b < 0x20) {
        return Err(Harmless::Words);
    }
    let digit = value.iter().any(u8::is_ascii_digit);
    let symbol = value.iter().any(|b| {
        b.is_ascii_punctuation()
            && !matches!(b, b'_' | b'-' | b'.' | b'/' | b':' | b'(' | b')' | b'[' | b']' | b',' | b';')
    });
    if !digit && !symbol && (words(value) || entropy(value) < 3.0) {
        return Err(Harmless::Words);
    }
    if !digit && !mixed(value) {
        return Err(Harmless::Words);
    }
    Ok(())
}

/// A plain word: a setting, a type, the name of what should stand there.
pub fn plain(value: &[u8]) -> Option<Harmless> {
    let lower = value.to_ascii_lowercase();
    PLAIN.iter().any(|w| lower == w.as_bytes()).then_some(Harmless::Words)
}

/// Small and capital letters change about as often as chance would have it.
fn mixed(value: &[u8]) -> bool {
    let letters: Vec<u8> = value.iter().copied().filter(u8::is_ascii_alphabetic).collect();
    let turns = letters
        .windows(2)
        .filter(|p| {
            p[0].is_ascii_uppercase() && p[1].is_ascii_lowercase()
                || p[0].is_ascii_lowercase() && p[1].is_ascii_uppercase()
        })
        .count();
    letters.len() >= 6 && turns * 4 >= letters.len()
}

/// Made of words, as a person writes names: parts that can be spoken, numbers only at the ends of them.
pub fn words(value: &[u8]) -> bool {
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut start = 0;
    for n in 0..=value.len() {
        let end = n == value.len();
        let apart = end
            || !value[n].is_ascii_alphabetic()
            || n > start && value[n].is_ascii_uppercase() && value[n - 1].is_ascii_lowercase();
        if apart {
            if n > start {
                parts.push(&value[start..n]);
            }
            start = if !end && value[n].is_ascii_alphabetic() { n } else { n + 1 };
        }
    }
    if parts.is_empty() {
        return false;
    }
    let letters: usize = parts.iter().map(|p| p.len()).sum();
    let spoken: usize = parts.iter().filter(|p| speakable(p)).map(|p| p.len()).sum();
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    // Each change from letters to digits and back makes chance likelier.
    let changes = value
        .windows(2)
        .filter(|p| {
            p[0].is_ascii_digit() != p[1].is_ascii_digit()
                && p[0].is_ascii_alphanumeric()
                && p[1].is_ascii_alphanumeric()
        })
        .count();
    spoken * 10 >= letters * 7
        && parts.len() * 3 <= letters + 2
        && digits * 3 <= letters + 3
        && changes <= 1 + value.len() / 10
}

/// Vowels and consonants follow each other as in words.
fn speakable(part: &[u8]) -> bool {
    if part.len() < 3 {
        return false;
    }
    // A word is small, or has a capital at its beginning, or is all capitals.
    let capitals = part.iter().filter(|b| b.is_ascii_uppercase()).count();
    if capitals > 1 && capitals < part.len() {
        return false;
    }
    let vowel = |b: &u8| matches!(b.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let (mut consonants, mut longest, mut vowels, mut vowel_run, mut longest_vowels) = (0, 0, 0, 0, 0);
    for byte in part {
        if vowel(byte) {
            vowels += 1;
            vowel_run += 1;
            consonants = 0;
        } else {
            consonants += 1;
            vowel_run = 0;
        }
        longest = longest.max(consonants);
        longest_vowels = longest_vowels.max(vowel_run);
    }
    let rare = part.iter().filter(|b| matches!(b.to_ascii_lowercase(), b'q' | b'x' | b'z' | b'j')).count();
    longest <= 4 && longest_vowels <= 3 && vowels * 6 >= part.len() && rare * 5 <= part.len()
}

/// A path, an address, a file, a version, a date, a name of a class or constant.
fn place(value: &[u8]) -> bool {
    if contains(value, b"://")
        || value.starts_with(b"./")
        || value.starts_with(b"../")
        || value.starts_with(b"~/")
        || value.starts_with(b"C:\\")
    {
        return true;
    }
    if value.starts_with(b"/") && value.iter().filter(|b| **b == b'/').count() >= 2 && path_like(value) {
        return true;
    }
    if value.iter().filter(|b| **b == b'/').count() >= 1
        && value.split(|b| *b == b'/').all(|p| p.is_empty() || words(p) || p.len() < 3)
    {
        return true;
    }
    if contains(value, b"::")
        || contains(value, b"->")
        || contains(value, b"=>")
        || contains(value, b"&&")
        || contains(value, b"||")
    {
        return true;
    }
    let endings: [&[u8]; 26] = [
        b".pem",
        b".key",
        b".json",
        b".yml",
        b".yaml",
        b".txt",
        b".rb",
        b".py",
        b".js",
        b".ts",
        b".html",
        b".xml",
        b".com",
        b".org",
        b".net",
        b".io",
        b".cer",
        b".crt",
        b".p12",
        b".jks",
        b".conf",
        b".png",
        b".md",
        b".example",
        b".local",
        b".php",
    ];
    if endings.iter().any(|e| value.ends_with(e)) {
        return true;
    }
    // `a.b.c`, each a name
    let parts: Vec<&[u8]> = value.split(|b| *b == b'.').collect();
    if parts.len() >= 2 && parts.iter().all(|p| p.len() >= 2 && identifier(p) && (words(p) || p.len() < 5)) {
        return true;
    }
    email(value)
}

fn path_like(value: &[u8]) -> bool {
    value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-'))
        && value[1..].split(|b| *b == b'/').filter(|p| words(p) || p.len() < 4).count() * 2
            > value.split(|b| *b == b'/').count() - 1
}

fn email(value: &[u8]) -> bool {
    let mut parts = value.split(|b| *b == b'@');
    let (Some(name), Some(host), None) = (parts.next(), parts.next(), parts.next()) else { return false };
    !name.is_empty()
        && contains(host, b".")
        && host.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        && host
            .rsplit(|b| *b == b'.')
            .next()
            .is_some_and(|t| (2..=6).contains(&t.len()) && t.iter().all(u8::is_ascii_alphabetic))
}

fn identifier(part: &[u8]) -> bool {
    part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
        && part.first().is_some_and(|b| !b.is_ascii_digit())
}

/// Whether `needle` is in `text`.
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(text, needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_and_words_are_told_apart() {
        for random in [
            "nAH2VzKrMrRjySLlt8HCdFU3tM2TUuUZgh39NX",
            "yLryKGwcGc3ez9G8YAnjeYMQOc",
            "7f9cc25de23d1a255720b0ae4551f4044d600f46",
            "26dfe8d8-889b-4380-92ff-9c3c6ea5d930",
            "zh!=!gq(w^_t[sBR29954x)HI+$ehwss*xYNQeu",
        ] {
            let value = random.as_bytes();
            assert!(
                random_token(value).is_ok() || random.contains('!'),
                "{random}: {:?}",
                random_token(value)
            );
        }
        for plain in [
            "application/json",
            "some-long-name-of-a-token",
            "authenticity_token",
            "ActiveSupport::MessageEncryptor",
            "00000000000000000000",
            "0123456789abcdef0123456789abcdef",
            "https://example.org/token",
            "config/master.key",
            "${SECRET_TOKEN_OF_APP}",
            "<your token goes here>",
            "Compte/Contrasenya",
            "secret1234567890",
        ] {
            assert!(random_token(plain.as_bytes()).is_err(), "{plain}");
        }
    }

    #[test]
    fn passwords_that_people_choose() {
        for chosen in
            ["hunter22", "swordfish!23", "RedisPass1!", "dff9dfdfdf", "AdminPassword123", "tr0ub4dor&3"]
        {
            assert_eq!(chosen_password(chosen.as_bytes()), Ok(()), "{chosen}");
        }
        for plain in [
            "password",
            "secret",
            "admin",
            "jsmith",
            "label_password",
            "Contrasenya",
            "#{password}",
            "a b c d e",
            "params[:password]",
        ] {
            assert!(chosen_password(plain.as_bytes()).is_err(), "{plain}");
        }
    }

    #[test]
    fn entropy_is_in_bits() {
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert!((entropy(b"abcd") - 2.0).abs() < 1e-9);
        assert_eq!(entropy(b""), 0.0);
    }
}
