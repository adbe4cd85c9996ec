//! Update expressions. Every attribute has a placeholder, because DynamoDB reserves 573 words.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Update};

use super::item::Item;

/// An update that sets and removes these attributes and changes no other.
pub(crate) fn update_attributes(
    key: Item,
    set: Vec<(&str, AttributeValue)>,
    remove: &[&str],
) -> UpdateBuilder {
    let mut update = Update::builder().set_key(Some(key));
    let mut expression = String::new();
    for (n, (name, value)) in set.into_iter().enumerate() {
        expression += if n == 0 { "SET " } else { ", " };
        expression += &format!("#{name} = :{name}");
        update = update
            .expression_attribute_names(format!("#{name}"), name)
            .expression_attribute_values(format!(":{name}"), value);
    }
    for (n, name) in remove.iter().enumerate() {
        expression += if n == 0 { " REMOVE " } else { ", " };
        expression += &format!("#{name}");
        update = update.expression_attribute_names(format!("#{name}"), *name);
    }
    update.update_expression(expression.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::item::text;
    use crate::dynamo::keys;

    fn update(set: &[&'static str], remove: &[&str]) -> Update {
        let set = set.iter().map(|name| (*name, text("x"))).collect();
        let update = update_attributes(keys::key("p", "s"), set, remove).table_name("t");
        update.build().unwrap()
    }

    #[test]
    fn the_expression_names_exactly_what_it_sets_and_removes() {
        for (set, remove, expression) in [
            (
                &["status", "due"][..],
                &[][..],
                "SET #status = :status, #due = :due",
            ),
            (&[], &["due", "due_shard"], "REMOVE #due, #due_shard"),
            (&["status"], &["due"], "SET #status = :status REMOVE #due"),
        ] {
            let update = update(set, remove);
            assert_eq!(update.update_expression(), expression);
            let names = update.expression_attribute_names().unwrap();
            assert_eq!(names.len(), set.len() + remove.len());
            let values = update
                .expression_attribute_values()
                .map_or(0, |values| values.len());
            assert_eq!(values, set.len());
        }
    }
}
