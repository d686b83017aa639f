// The question before something is deleted.

/** Whether the answer to the question was yes. */
export function sure(question) {
  const dialog = document.getElementById("sure");
  document.getElementById("sure-title").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}
