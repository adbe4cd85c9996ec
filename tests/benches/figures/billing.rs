//! The write units that AWS bills, computed from the sizes of the items.
//!
//! The size of an item is rounded up to 1 KB and counts twice in a transaction ("DynamoDB Developer
//! Guide, Read and write operations"). An update counts the larger of the old and the new item. An
//! index is written if a projected attribute changed, and twice if its key changed. AWS does not
//! document whether a transaction doubles index writes, so they are printed separately.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{GlobalSecondaryIndexDescription, Projection, ProjectionType};
use session_manager::item_size;

use crate::Result;
use crate::spy::Item;

const KB: usize = 1024;

/// The table's indexes and their projected attributes.
#[derive(Debug, Clone)]
pub struct Billing {
    indexes: Vec<Index>,
}

#[derive(Debug, Clone)]
struct Index {
    keys: Vec<String>,
    /// All projected attributes, including keys.
    attributes: Vec<String>,
}

/// Write units by AWS's rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Units {
    pub table: usize,
    pub indexes: usize,
}

impl Units {
    pub const fn total(self) -> usize {
        self.table + self.indexes
    }
}

impl std::ops::AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.table += other.table;
        self.indexes += other.indexes;
    }
}

impl Billing {
    /// From DynamoDB's description of the table.
    pub async fn of(client: &Client, table: &str) -> Result<Self> {
        let described = client.describe_table().table_name(table).send().await?;
        let description = described.table().ok_or("the table is not described")?;
        let table_keys = description.key_schema().iter().map(|k| k.attribute_name());
        let table_keys: Vec<_> = table_keys.map(ToOwned::to_owned).collect();
        let indexes = description.global_secondary_indexes().iter();
        let indexes: Result<_> = indexes.map(|index| Index::of(index, &table_keys)).collect();
        Ok(Self { indexes: indexes? })
    }

    /// The units of writing one item, from its old and its new content.
    pub fn write(
        &self,
        before: Option<&Item>,
        after: Option<&Item>,
        in_transaction: bool,
    ) -> Units {
        let sizes = [before, after].into_iter().flatten().map(item_size);
        let once = sizes.max().unwrap_or_default().div_ceil(KB).max(1);
        let indexes = self.indexes.iter();
        Units {
            table: if in_transaction { 2 * once } else { once },
            indexes: indexes.map(|index| index.write(before, after)).sum(),
        }
    }
}

impl Index {
    fn of(described: &GlobalSecondaryIndexDescription, table_keys: &[String]) -> Result<Self> {
        let projection = described.projection();
        if projection.and_then(Projection::projection_type) == Some(&ProjectionType::All) {
            return Err("an index that projects everything is not counted here".into());
        }
        let keys = described.key_schema().iter();
        let keys: Vec<_> = keys.map(|key| key.attribute_name().to_owned()).collect();
        let projected = projection.map(Projection::non_key_attributes);
        let mut attributes = projected.unwrap_or_default().to_vec();
        attributes.extend(keys.iter().chain(table_keys).cloned());
        Ok(Self { keys, attributes })
    }

    fn write(&self, before: Option<&Item>, after: Option<&Item>) -> usize {
        let before = before.and_then(|item| self.project(item));
        let after = after.and_then(|item| self.project(item));
        match (before, after) {
            (None, None) => 0,
            (Some(only), None) | (None, Some(only)) => once(&only),
            (Some(old), Some(new)) if old == new => 0,
            (Some(old), Some(new)) if self.keys.iter().any(|key| old.get(key) != new.get(key)) => {
                once(&old) + once(&new)
            }
            (Some(old), Some(new)) => once(&old).max(once(&new)),
        }
    }

    /// The part of an item that is in the index; none if the item lacks the index's keys.
    fn project(&self, item: &Item) -> Option<Item> {
        let is_in = self.keys.iter().all(|key| item.contains_key(key));
        let held = item
            .iter()
            .filter(|(name, _)| self.attributes.contains(name));
        is_in.then(|| held.map(|(k, v)| (k.clone(), v.clone())).collect())
    }
}

fn once(item: &Item) -> usize {
    item_size(item).div_ceil(KB)
}
