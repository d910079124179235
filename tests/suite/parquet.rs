//! Is a Parquet file read as the text that says the same?

use super::common::{Folder, fail, lowrank};

/// Without the feature the error says how to have it.
#[cfg(not(feature = "parquet"))]
#[test]
fn a_program_without_parquet_says_how_to_have_it() {
    let folder = Folder::new("parquet");
    let file = folder.write("ratings.parquet", "PAR1");
    let (code, message) = fail(lowrank().args(["data", "inspect"]).arg(file));
    assert_eq!(code, 1);
    assert!(message.contains("--features parquet"), "{message}");
}

#[cfg(feature = "parquet")]
mod with {
    use super::*;
    use crate::common::succeed;
    use parquet::basic::Compression;
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::path::Path;
    use std::sync::Arc;

    enum Values {
        Int(Vec<i32>),
        Long(Vec<i64>),
        Double(Vec<f64>),
        /// Texts, and where there are none.
        Text(Vec<Option<&'static str>>),
        /// Lists of texts.
        Lists(Vec<Vec<&'static str>>),
    }

    fn write(path: &Path, schema: &str, columns: Vec<Values>, packed: Compression) {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = WriterProperties::builder().set_compression(packed).build();
        let file = std::fs::File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for values in columns {
            let mut column = group.next_column().unwrap().unwrap();
            match values {
                Values::Int(x) => column.typed::<Int32Type>().write_batch(&x, None, None),
                Values::Long(x) => column.typed::<Int64Type>().write_batch(&x, None, None),
                Values::Double(x) => column.typed::<DoubleType>().write_batch(&x, None, None),
                Values::Text(texts) => {
                    let levels: Vec<i16> = texts.iter().map(|x| x.is_some().into()).collect();
                    let texts: Vec<ByteArray> =
                        texts.into_iter().flatten().map(Into::into).collect();
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&texts, Some(&levels), None)
                }
                Values::Lists(lists) => {
                    // An empty list is defined to its first level, a value to the second.
                    let (mut values, mut defined, mut repeated) = (vec![], vec![], vec![]);
                    for list in &lists {
                        if list.is_empty() {
                            defined.push(0);
                            repeated.push(0);
                        }
                        for (n, value) in list.iter().enumerate() {
                            values.push(ByteArray::from(*value));
                            defined.push(1);
                            repeated.push(i16::from(n > 0));
                        }
                    }
                    let typed = column.typed::<ByteArrayType>();
                    typed.write_batch(&values, Some(&defined), Some(&repeated))
                }
            }
            .unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
    }

    const RATINGS: &str = "message ratings {
        REQUIRED INT32 user_id; REQUIRED INT64 item_id; REQUIRED DOUBLE rating;
        REQUIRED INT64 timestamp (TIMESTAMP(NANOS, true)); }";
    const ITEMS: &str = "message items {
        REQUIRED INT64 item_id; OPTIONAL BYTE_ARRAY title (UTF8);
        REQUIRED GROUP genres (LIST) { REPEATED GROUP list { REQUIRED BYTE_ARRAY element (UTF8); } }
        REQUIRED DOUBLE year; }";

    fn files(folder: &Folder) {
        let n = 60;
        let rating = |n: i32| f64::from(n * 7 % 9) / 2.0 + 0.5;
        let ratings = vec![
            Values::Int((0..n).map(|n| n / 4).collect()),
            Values::Long((0..n).map(|n| i64::from(n * 5 % 7)).collect()),
            Values::Double((0..n).map(rating).collect()),
            Values::Long(
                (0..n)
                    .map(|n| 881_250_949_999_999_999 + i64::from(n))
                    .collect(),
            ),
        ];
        write(
            &folder.path("ratings.parquet"),
            RATINGS,
            ratings,
            Compression::SNAPPY,
        );
        let mut text = String::from("user_id,item_id,rating,timestamp\n");
        for k in 0..n {
            let second = if k == 0 { 881_250_949 } else { 881_250_950 };
            text.push_str(&format!("{},{},{},{second}\n", k / 4, k * 5 % 7, rating(k)));
        }
        folder.write("ratings.csv", text);
        let items = vec![
            Values::Long((0..7).collect()),
            Values::Text(vec![
                Some("Heat"),
                Some("Me, \"Myself\""),
                None,
                Some("a;b"),
                Some("a::b"),
                Some("Ü\tx"),
                Some("'80"),
            ]),
            Values::Lists(vec![
                vec!["Crime", "Drama"],
                vec![],
                vec!["Drama"],
                vec!["Crime"],
                vec!["Drama"],
                vec!["Comedy"],
                vec!["Sci, Fi"],
            ]),
            Values::Double((0..7).map(|n| 1990.5 + f64::from(n)).collect()),
        ];
        let gzip = Compression::GZIP(Default::default());
        write(&folder.path("items.parquet"), ITEMS, items, gzip);
        let lines = [
            "0,Heat,Crime|Drama,1990.5",
            "1,\"Me, \"\"Myself\"\"\",,1991.5",
            "2,,Drama,1992.5",
            "3,a;b,Crime,1993.5",
            "4,a::b,Drama,1994.5",
            "5,Ü\tx,Comedy,1995.5",
            "6,'80,\"Sci, Fi\",1996.5",
        ];
        folder.write(
            "items.csv",
            format!("item_id,title,genres,year\n{}\n", lines.join("\n")),
        );
    }

    #[test]
    fn a_model_of_parquet_files_is_that_of_the_same_text() {
        let folder = Folder::new("parquet");
        files(&folder);
        let train = |kind: &str| {
            let mut command = lowrank();
            command
                .arg("train")
                .arg(folder.path(&format!("ratings.{kind}")));
            command
                .arg("--items")
                .arg(folder.path(&format!("items.{kind}")));
            command.args([
                "--item-features",
                "genres,year:bin3",
                "--factors",
                "2",
                "--epochs",
                "2",
            ]);
            succeed(
                command
                    .args(["--valid-by", "time", "--valid-fraction", "0.2", "-o"])
                    .arg(folder.path(kind)),
            );
            std::fs::read(folder.path(kind).join("model.lowrank")).unwrap()
        };
        assert!(train("parquet") == train("csv"));
        // Times too, which a model does not hold.
        let inspected = |kind: &str| {
            let mut inspect = lowrank();
            inspect.args(["data", "inspect", "--format", "json"]);
            let json = succeed(inspect.arg(folder.path(&format!("ratings.{kind}"))));
            let mut json: serde_json::Value = serde_json::from_str(&json).unwrap();
            json["files"] = serde_json::Value::Null;
            json
        };
        let of_text = inspected("csv");
        assert_eq!(inspected("parquet"), of_text);
        assert!(of_text.to_string().contains("881250949"), "{of_text}");
        // Newer features come so too.
        let mut predict = lowrank();
        predict
            .arg("predict")
            .arg(folder.path("csv"))
            .args(["--user", "1", "--item", "2"]);
        predict.args(["--on-skew", "error", "--items"]);
        succeed(predict.arg(folder.path("items.parquet")));
    }

    #[test]
    fn what_is_no_parquet_file_or_no_table_of_values_is_refused() {
        let folder = Folder::new("parquet");
        files(&folder);
        let whole = std::fs::read(folder.path("ratings.parquet")).unwrap();
        let refused = |bytes: &[u8]| {
            let file = folder.write("other.parquet", bytes);
            fail(lowrank().args(["data", "inspect"]).arg(file))
        };
        for bytes in [&b""[..], b"user,item,rating\n", &whole[..whole.len() - 9]] {
            let (code, message) = refused(bytes);
            assert_eq!(code, 1);
            assert!(message.contains("a whole Parquet file"), "{message}");
        }
        let (code, message) = refused(&whole[9..]);
        assert!(code == 1 && message.contains("cannot read"), "{message}");
        let nested = "message x { REQUIRED INT32 user_id; REQUIRED GROUP item { REQUIRED INT32 a; REQUIRED INT32 b; } }";
        let columns = || {
            vec![
                Values::Int(vec![1]),
                Values::Int(vec![1]),
                Values::Int(vec![1]),
            ]
        };
        write(
            &folder.path("nested.parquet"),
            nested,
            columns(),
            Compression::UNCOMPRESSED,
        );
        let (_, message) = fail(
            lowrank()
                .args(["data", "inspect"])
                .arg(folder.path("nested.parquet")),
        );
        assert!(message.contains("the column item, of neither"), "{message}");
        let bar = vec![
            Values::Long(vec![1]),
            Values::Text(vec![None]),
            Values::Lists(vec![vec!["a|b"]]),
            Values::Double(vec![1.0]),
        ];
        write(
            &folder.path("bar.parquet"),
            ITEMS,
            bar,
            Compression::UNCOMPRESSED,
        );
        let mut inspect = lowrank();
        inspect
            .args(["data", "inspect"])
            .arg(folder.path("ratings.parquet"));
        let (_, message) = fail(inspect.arg("--items").arg(folder.path("bar.parquet")));
        assert!(
            message.contains("a list with |") && message.contains("genres"),
            "{message}"
        );
    }
}
