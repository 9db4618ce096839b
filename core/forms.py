"""What operators type in the admin, held to what people type on the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from core.errors import InvalidInput
from core.text import clean_line, clean_lines

LONGEST_LINES = 20_000

if TYPE_CHECKING:
    TypedBase = forms.ModelForm[Any]
else:
    TypedBase = forms.ModelForm


class TypedForm(TypedBase):
    """Cleans each text that is free to be anything: names and titles, and text of many lines.

    Fields that know better what they take (user names, e-mail, slugs) are kinds of their own.
    """

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name, value in list(self.cleaned_data.items()):
            field = self.fields[name]
            if type(field) is forms.CharField and value and name in self.changed_data:
                self._clean_text(name, field, value)
        return cleaned

    def _clean_text(self, name: str, field: forms.CharField, value: str) -> None:
        longest = field.max_length or LONGEST_LINES
        try:
            if isinstance(field.widget, forms.Textarea):
                text = clean_lines(value, name, longest=longest)
            else:
                text = clean_line(value, name, longest=longest, shortest=int(field.required))
        except InvalidInput as error:
            self.add_error(name, error.message)
        else:
            self.cleaned_data[name] = text
