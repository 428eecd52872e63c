//! Makes an index out of feeds, or a new one out of an old one.

use std::collections::{BTreeMap, HashSet};

use super::{Entry, FRONT, Feed, Header, Index, IndexError, MAGIC, RECORD, Section, VERSION, checksum};
use crate::Ecosystem;
use crate::advisory::{Advisory, Exploited, Likelihoods};
use crate::support::{self, Product, Table};

/// Collects feeds and lists, then writes an index.
#[derive(Debug, Default)]
pub struct Builder {
    feeds: Vec<Feed>,
    packages: BTreeMap<Ecosystem, BTreeMap<String, Vec<Entry>>>,
    lists: [String; 3],
    cycles: Table,
    exploited: Option<Exploited>,
    likelihoods: Option<Likelihoods>,
}

impl Builder {
    /// Takes the advisories of a feed in. Feeds that are added first are heard first where two of them tell of
    /// the same weakness; a feed of the same name that is there already is replaced.
    pub fn feed(&mut self, name: &str, date: &str, revision: &str, advisories: Vec<Advisory>) {
        if let Some(old) = self.feeds.iter().position(|feed| feed.name == name) {
            self.drop_feed(old as u16);
        }
        let feed = self.feeds.iter().position(|feed| feed.name == name).unwrap_or_else(|| {
            self.feeds.push(Feed {
                name: name.to_owned(),
                date: String::new(),
                count: 0,
                revision: String::new(),
            });
            self.feeds.len() - 1
        });
        let mut ids = HashSet::new();
        for advisory in advisories {
            ids.insert(advisory.id.clone());
            let packages = self.packages.entry(advisory.ecosystem).or_default();
            let entries = packages.entry(advisory.package.clone()).or_default();
            entries.push(Entry { feed: feed as u16, advisory, exploited: None, likelihood: None });
        }
        let feed = &mut self.feeds[feed];
        date.clone_into(&mut feed.date);
        revision.clone_into(&mut feed.revision);
        feed.count = ids.len() as u32;
    }

    fn drop_feed(&mut self, feed: u16) {
        for packages in self.packages.values_mut() {
            for entries in packages.values_mut() {
                entries.retain(|entry| entry.feed != feed);
            }
        }
    }

    /// Takes all of an index in, so that a feed can be replaced and the others kept.
    pub fn keep(&mut self, index: &Index) -> Result<(), IndexError> {
        let start = self.feeds.len() as u16;
        self.feeds.extend(index.feeds().iter().cloned());
        self.lists.clone_from(&index.header.lists);
        self.cycles.clone_from(&index.header.cycles);
        index.each(|ecosystem, name, entries| {
            let kept = self.packages.entry(ecosystem).or_default().entry(name.to_owned()).or_default();
            kept.extend(entries.into_iter().map(|entry| Entry { feed: entry.feed + start, ..entry }));
        })
    }

    /// Puts what has changed in a feed in the place of what was known under the same names: `ids` are all that
    /// have changed, of which some may stand no longer.
    pub fn change(
        &mut self,
        name: &str,
        date: &str,
        revision: &str,
        ids: &HashSet<String>,
        advisories: Vec<Advisory>,
    ) {
        let Some(at) = self.feeds.iter().position(|feed| feed.name == name) else {
            return self.feed(name, date, revision, advisories);
        };
        let feed = at as u16;
        let mut left = HashSet::new();
        for entries in self.packages.values_mut().flat_map(BTreeMap::values_mut) {
            entries.retain(|entry| entry.feed != feed || !ids.contains(&entry.advisory.id));
        }
        for advisory in advisories {
            let packages = self.packages.entry(advisory.ecosystem).or_default();
            let entries = packages.entry(advisory.package.clone()).or_default();
            entries.push(Entry { feed, advisory, exploited: None, likelihood: None });
        }
        for entry in self.packages.values().flat_map(BTreeMap::values).flatten().filter(|e| e.feed == feed) {
            left.insert(entry.advisory.id.as_str());
        }
        let count = left.len() as u32;
        let feed = &mut self.feeds[at];
        if *date > *feed.date {
            date.clone_into(&mut feed.date);
        }
        revision.clone_into(&mut feed.revision);
        feed.count = count;
    }

    /// Takes the catalogue of exploited weaknesses in; it replaces what an index that was kept knew of it.
    pub fn exploited(&mut self, list: Exploited) {
        self.lists[0].clone_from(&list.date);
        self.exploited = Some(list);
    }

    /// Takes the list of likelihoods in; it replaces what an index that was kept knew of it.
    pub fn likelihoods(&mut self, list: Likelihoods) {
        self.lists[1].clone_from(&list.date);
        self.likelihoods = Some(list);
    }

    /// Takes the release cycles of products in, as they were on a day; they replace what an index that was
    /// kept knew. Products that no check looks for are left out.
    pub fn cycles(&mut self, date: &str, products: impl IntoIterator<Item = (String, Product)>) {
        self.cycles = Table::default();
        for (id, product) in products.into_iter().filter(|(id, _)| support::looked_for(id)) {
            self.cycles.take(&id, product);
        }
        date.clone_into(&mut self.lists[2]);
    }

    /// The bytes of the index: the same for the same input.
    pub fn build(mut self) -> Vec<u8> {
        self.join_lists();
        let mut blocks = Vec::new();
        let mut tables: Vec<(Ecosystem, u32, Vec<u8>)> = Vec::new();
        for (ecosystem, packages) in &self.packages {
            let (mut records, mut names, mut count) = (Vec::<u8>::new(), Vec::<u8>::new(), 0);
            for (name, entries) in packages.iter().filter(|(_, entries)| !entries.is_empty()) {
                let mut sorted = entries.clone();
                sorted.sort_by(|a, b| (a.feed, &a.advisory.id).cmp(&(b.feed, &b.advisory.id)));
                let block = encode(&sorted);
                records.extend((names.len() as u32).to_le_bytes());
                records.extend((name.len() as u32).to_le_bytes());
                // The place within the blocks; where those begin is added below.
                records.extend((blocks.len() as u64).to_le_bytes());
                records.extend((block.len() as u32).to_le_bytes());
                records.extend(&checksum(&block)[..8]);
                names.extend(name.as_bytes());
                blocks.extend(block);
                count += 1;
            }
            records.extend(names);
            tables.push((*ecosystem, count, records));
        }
        self.assemble(&blocks, tables)
    }

    /// Where the blocks begin depends on the length of the header, whose numbers take more room the larger they
    /// are: it is laid out again until it stays.
    fn assemble(self, blocks: &[u8], tables: Vec<(Ecosystem, u32, Vec<u8>)>) -> Vec<u8> {
        let total: usize = tables.iter().map(|(_, _, table)| table.len()).sum();
        let mut header = Header {
            feeds: self.feeds,
            sections: Vec::new(),
            lists: self.lists,
            cycles: self.cycles,
            length: 0,
        };
        let (mut encoded, mut room) = (Vec::new(), 0);
        for _ in 0..8 {
            let start = (FRONT + room) as u64;
            header.length = start + (blocks.len() + total) as u64;
            header.sections.clear();
            let mut at = start + blocks.len() as u64;
            for (ecosystem, packages, table) in &tables {
                let table = placed(table, *packages, start);
                header.sections.push(Section {
                    ecosystem: *ecosystem,
                    packages: *packages,
                    at,
                    length: table.len() as u32,
                    checksum: checksum(&table),
                });
                at += table.len() as u64;
            }
            encoded = encode(&header);
            if encoded.len() == room {
                break;
            }
            room = encoded.len();
        }
        let start = (FRONT + encoded.len()) as u64;
        let mut out = Vec::with_capacity(header.length as usize);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend((encoded.len() as u32).to_le_bytes());
        out.extend(checksum(&encoded));
        out.extend(&encoded);
        out.extend(blocks);
        for (_, packages, table) in &tables {
            out.extend(placed(table, *packages, start));
        }
        out
    }

    fn join_lists(&mut self) {
        for entry in self.packages.values_mut().flat_map(|packages| packages.values_mut()).flatten() {
            let names = || std::iter::once(&entry.advisory.id).chain(&entry.advisory.aliases);
            if let Some(list) = &self.exploited {
                entry.exploited = names().find_map(|name| list.entries.get(name)).cloned();
            }
            if let Some(list) = &self.likelihoods {
                entry.likelihood =
                    names().filter_map(|name| list.entries.get(name)).copied().reduce(f32::max);
            }
        }
    }
}

/// A table whose blocks begin at a place.
fn placed(table: &[u8], packages: u32, start: u64) -> Vec<u8> {
    let mut table = table.to_vec();
    for record in table[..packages as usize * RECORD].chunks_exact_mut(RECORD) {
        let at = super::u64_at(record, 8) + start;
        record[8..16].copy_from_slice(&at.to_le_bytes());
    }
    table
}

fn encode<T: serde::Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("plain data with known lengths can always be written")
}
