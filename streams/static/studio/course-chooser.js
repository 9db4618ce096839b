// Choosing the course that a clip becomes a lesson of, over the courses' own HTTP API.

import { api } from "../livecommerce/api.js";
import { el, one } from "../livecommerce/dom.js";

export class CourseChooser {
  #dialog = one("#course-dialog");
  #error = one("#course-error");
  #clip = null;
  #onAdded = null;

  constructor() {
    one("#course-close").addEventListener("click", () => this.#dialog.close());
    one("#course-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#add();
    });
  }

  /** Ask for a course and add `clip` to it; `onAdded({url, courseTitle})` hears that it is done. */
  async choose(clip, onAdded) {
    this.#clip = clip;
    this.#onAdded = onAdded;
    this.#error.textContent = "";
    this.#dialog.showModal();
    await this.#try(async () => this.#draw(await api("GET", "/api/v1/me/courses")));
  }

  #draw(courses) {
    const choices = courses.map((course, index) => courseChoice(course, index === 0));
    one("#courses").replaceChildren(one("#courses").querySelector("legend"), ...choices);
  }

  async #add() {
    const button = one("#course-form button[type=submit]");
    if (button.disabled) return;
    button.disabled = true;
    await this.#try(async () => {
      const course = await this.#course();
      const { id: assetId, title } = this.#clip;
      const lesson = await api("POST", `/api/v1/courses/${course.id}/lessons`, { asset_id: assetId, title });
      this.#dialog.close();
      this.#onAdded({ url: lesson.url, courseTitle: course.title });
    });
    button.disabled = false;
  }

  async #course() {
    const title = one("#new-course").value.trim();
    if (title) return this.#newCourse(title);
    const chosen = one("#courses").querySelector("input:checked");
    if (!chosen) throw new Error(gettext("Choose a course, or write the name of a new one."));
    return { id: chosen.value, title: chosen.dataset.title };
  }

  // Made once: if adding the lesson fails, the next try goes to the course that is there now.
  async #newCourse(title) {
    const course = await api("POST", "/api/v1/courses", { title });
    one("#courses").append(courseChoice(course, true));
    one("#new-course").value = "";
    return course;
  }

  async #try(action) {
    this.#error.textContent = "";
    try {
      await action();
    } catch (error) {
      this.#error.textContent = error.message;
    }
  }
}

function courseChoice({ id, title, state }, isChecked) {
  const input = el("input", { type: "radio", name: "course", value: id, checked: isChecked, data: { title } });
  const words = state === "draft" ? interpolate(gettext("%s (draft)"), [title]) : title;
  return el("label", { class: "choice" }, input, el("span", {}, words));
}
