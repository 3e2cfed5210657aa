"""English is told by prose alone, and only what clearly is something else is not English."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procqa.dump.archive import open_dump
from procqa.dump.blocks import read_blocks, rows_in
from procqa.dump.body import to_markdown
from procqa.dump.rows import Unreadable, read_row, to_post
from procqa.pairs.english import is_english

DUMPS = Path(__file__).parents[3] / "shared" / "data" / "dumps"


@pytest.mark.parametrize(
    "text",
    [
        "How do I sort a list in Python?",
        "Use a list comprehension.",
        "Android RecyclerView onClick listener fragment",
        "max heap memory java jvm tomcat",
        "NullPointerException at com.example.Main.main(Main.java:17)\n\nWhat does this mean?",
        "Replace `Größe` by `Breite`, and `für` by `mit`: `die Länge der Liste` is not what you want here.",
        "See https://de.example.org/wiki/Wie_kann_ich_eine_Liste_sortieren for the reason.",
        "The label says “Bitte geben Sie Ihren Namen ein”, but I want it to show the English text instead.",
        "I get a UnicodeDecodeError when I read a file with the name Übergröße.txt on Windows. How do I open it?",
    ],
)
def test_english_posts_are_english_whatever_names_stand_in_them(text):
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Wie kann ich in Python eine Liste sortieren?",
        "Ich habe ein Problem mit meiner Funktion, sie gibt immer `null` zurück.",
        "Comment trier une liste en Python ?",
        "Je voudrais savoir pourquoi ma fonction renvoie toujours null dans ce cas.",
        "¿Cómo puedo ordenar una lista en Python?",
        "No me funciona el formulario de registro en PHP, me da este error",
        "Como ordenar uma lista em Python?",
        "Qual a diferença do for do C para o do Java, a sintaxe do laço e as variáveis do bloco?",
        "Jak to zrobić i do czego to jest, a także czy da się to zmienić, jak to i to?",
        "Hoe kan ik een lijst sorteren in Python, of is er een andere manier die beter is?",
        "Hvordan kan jeg sortere en liste i Python, og skal jeg have en ny liste for det?",
        "Estou tentando fazer uma conexão com o banco de dados mas não funciona.",
        "Come posso ordinare una lista in Python?",
        "Как отсортировать список в Python?",
        "Не работает функция, подскажите пожалуйста в чём ошибка",
        "リストをソートする方法を教えてください。",
        "如何在Python中对列表进行排序？",
        "Python에서 리스트를 정렬하는 방법은 무엇인가요?",
    ],
)
def test_posts_in_other_languages_are_not_english_even_with_english_code(text):
    assert not is_english(text)
    code = "\n\n```python\n# Sort the list and print what is in it, one item in a line.\nprint(sorted(items))\n```"
    assert not is_english(text + code)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Vielen Dank!",
        "```python\nliste = [eins, zwei, drei]  # eine Liste mit drei Zahlen, die wir sortieren wollen\n```",
        "`Wie kann ich in Python eine Liste sortieren?`",
        "str_replace preg_match_all array_map $größe_der_liste",
    ],
)
def test_a_post_with_too_little_prose_is_not_judged(text):
    assert is_english(text)


def test_prose_behind_the_first_page_changes_nothing():
    assert is_english("How do I sort this list? " * 100 + "Wie kann ich eine Liste sortieren? " * 1_000)


@given(st.text())
@settings(max_examples=50, deadline=None)
def test_any_text_is_judged(text):
    assert is_english(text) in (True, False)


@pytest.mark.skipif(not DUMPS.is_dir(), reason="the real dumps of ../shared/data/dumps are not here")
@pytest.mark.parametrize("name", ["stackoverflow-2008-excerpt.xml", "ai.stackexchange-2016.xml"])
def test_no_post_of_two_english_sites_is_taken_for_another_language(name):
    n_posts, wrong = 0, []
    with open_dump(str(DUMPS / name)) as stream:
        for block in read_blocks(stream, name=name):
            for _, raw in rows_in(block):
                row = read_row(raw)
                if isinstance(row, Unreadable) or row.kind == "other":
                    continue
                post = to_post(raw, site="local")
                n_posts += 1
                if not is_english(f"{post.title}\n\n{to_markdown(post.body_html)}"):
                    wrong.append(post.id)
    assert n_posts > 800
    assert wrong == []
